namespace Tollgate.Contracts.Feeds;

/// <summary>The OpenAPI document of a product, for gateways whose routes hold calls against it.</summary>
/// <param name="BasePath">Where the product's calls go on the gateway: the document's paths may stand below it.</param>
/// <param name="Gzip">The document as JSON, compressed: a line of a feed has at most a megabyte.</param>
public sealed record ProductDocumentItem(string Product, string BasePath, byte[] Gzip) : FeedItem
{
    public override string Kind => "document";
    public override string Key => Product;
}
