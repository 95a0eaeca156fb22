using System.Collections.Concurrent;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Feeds;

namespace Tollgate.Gateway.Bodies;

/// <summary>
/// The OpenAPI documents of the catalogue's products, as the feed of entitlements brings them. Stands before the table of entitlements in its feed, and
/// takes the documents out.
/// </summary>
internal sealed class ProductDocuments(ILogger<ProductDocuments> logger)
{
    private readonly ILogger _logger = logger;
    private readonly ConcurrentDictionary<string, ProductDocument> _documents = new(StringComparer.Ordinal);

    /// <summary>A product's document, whether there is one yet or not, for a route that holds its calls against it.</summary>
    public ProductDocument Of(string product)
    {
        var document = Find(product);
        document.Want();
        return document;
    }

    public IFeedTarget Before(IFeedTarget entitlements) => new Target(this, entitlements);

    private ProductDocument Find(string product) => _documents.GetOrAdd(product, static (name, log) => new ProductDocument(name, log), _logger);

    private sealed class Target(ProductDocuments documents, IFeedTarget entitlements) : IFeedTarget
    {
        public IFeedChanges Begin(bool snapshot) => new Changes(documents, entitlements.Begin(snapshot), snapshot);
    }

    private sealed class Changes(ProductDocuments documents, IFeedChanges entitlements, bool snapshot) : IFeedChanges
    {
        private readonly Dictionary<string, ProductDocumentItem?> _told = new(StringComparer.Ordinal);

        public void Add(FeedItem item)
        {
            if (item is ProductDocumentItem document) _told[document.Product] = document;
            else if (item is RemovedItem { Of: "document" } removed) _told[removed.Id] = null;
            else entitlements.Add(item);
        }

        public void Commit()
        {
            entitlements.Commit();
            if (snapshot)
                foreach (var product in documents._documents.Keys) _told.TryAdd(product, null);
            foreach (var (product, item) in _told) documents.Find(product).Use(item);
        }
    }
}
