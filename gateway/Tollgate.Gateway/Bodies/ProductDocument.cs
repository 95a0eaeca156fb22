using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tollgate.Contracts.Feeds;

namespace Tollgate.Gateway.Bodies;

/// <summary>The OpenAPI document of one product: calls are held against the newest that could be read. Compiled where a route asks for it.</summary>
internal sealed partial class ProductDocument(string product, ILogger logger)
{
    private const int MostBytes = 16 * 1024 * 1024;

    private readonly Lock _changing = new();
    private ProductDocumentItem? _item;
    private OpenApiBook? _book;
    private bool _wanted;

    /// <summary>Null = there is none, or none that could ever be read.</summary>
    public OpenApiBook? Book => Volatile.Read(ref _book);

    /// <summary>A route holds calls against it.</summary>
    public void Want()
    {
        lock (_changing)
        {
            if (_wanted) return;
            _wanted = true;
            Compile();
        }
    }

    /// <param name="item">Null = it is gone.</param>
    public void Use(ProductDocumentItem? item)
    {
        lock (_changing)
        {
            if (item is not null && _item is { } before && before.BasePath == item.BasePath && before.Gzip.AsSpan().SequenceEqual(item.Gzip)) return;
            _item = item;
            if (_wanted) Compile();
        }
    }

    private void Compile()
    {
        if (_item is not { } item)
        {
            Volatile.Write(ref _book, null);
            return;
        }

        var mistakes = new List<string>();
        try
        {
            var book = JsonNode.Parse(Unpack(item.Gzip)) is { } document ? OpenApiBook.Read(document, mistakes, item.BasePath) : null;
            if (book is not null && mistakes.Count == 0) Volatile.Write(ref _book, book);
        }
        catch (Exception unreadable) when (unreadable is not OutOfMemoryException)
        {
            mistakes.Add(unreadable.Message);    // whoever writes a document may try every shape
        }

        if (mistakes.Count > 0) Log.NotUsed(logger, product, Book is null ? "routes that need it refuse their calls" : "the one before stays in force", string.Join(' ', mistakes.Distinct().Take(5)));
    }

    private static byte[] Unpack(byte[] packed)
    {
        using var gzip = new GZipStream(new MemoryStream(packed), CompressionMode.Decompress);
        using var json = new MemoryStream();
        var part = new byte[64 * 1024];
        while (gzip.Read(part) is > 0 and var read)
        {
            json.Write(part, 0, read);
            if (json.Length > MostBytes) throw new JsonException($"it has more than {MostBytes} bytes.");
        }

        return json.ToArray();
    }

    private static partial class Log
    {
        [LoggerMessage(1021, LogLevel.Error, "The OpenAPI document of the product {Product} cannot be used, {Instead}: {Mistakes}")]
        public static partial void NotUsed(ILogger logger, string product, string instead, string mistakes);
    }
}
