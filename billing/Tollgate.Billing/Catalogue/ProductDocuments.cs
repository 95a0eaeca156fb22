using System.IO.Compression;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Tollgate.Billing.Storage;
using Tollgate.Contracts.Feeds;
using Tollgate.Storage.Feeds;
using YamlDotNet.Core;

namespace Tollgate.Billing.Catalogue;

/// <summary>Products' OpenAPI documents on their way to the gateways, whose routes hold calls against them.</summary>
internal static class ProductDocuments
{
    // In base 64 a third more, and a line has at most a megabyte.
    private const int MostBytes = 700_000;

    /// <summary>What the gateways must know of a product as it is now: its document, or that it has none that they could read.</summary>
    public static FeedItem ItemOf(Product product)
    {
        if (string.IsNullOrWhiteSpace(product.OpenApi)) return Gone(product.Name);
        string json;
        try
        {
            json = OpenApiText.ToJson(product.OpenApi);
        }
        catch (YamlException)
        {
            return Gone(product.Name);
        }

        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true)) gzip.Write(Encoding.UTF8.GetBytes(json));
        return packed.Length > MostBytes ? Gone(product.Name) : new ProductDocumentItem(product.Name, product.BasePath, packed.ToArray());
    }

    public static RemovedItem Gone(string product) => new("document", product);

    /// <summary>Products of before this was told, and those that were planted, are told at the start.</summary>
    public static async Task TellAsync(BillingDb db, CancellationToken cancel)
    {
        var untold = await db.Products.AsNoTracking()
            .Where(product => product.OpenApi != "" && !db.Set<Change>().Any(change => change.Kind == "document" && change.Key == product.Name)).ToListAsync(cancel);
        if (untold.Count > 0) await db.SaveWithChangesAsync([.. untold.Select(ItemOf)], cancel);
    }
}
