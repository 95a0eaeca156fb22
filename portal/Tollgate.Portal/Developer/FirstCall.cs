using Tollgate.Billing.Catalogue;
using Tollgate.Portal.Wording;

namespace Tollgate.Portal.Developer;

/// <summary>The call that a newcomer makes first: the product's first plain GET, with example values.</summary>
internal static class FirstCall
{
    public static string PathOf(ProductView product, string openApi)
    {
        var (reference, _) = ApiReference.Read(openApi);
        var operation = reference?.Operations.FirstOrDefault(o => o.Method == "GET") ?? reference?.Operations.FirstOrDefault();
        return operation?.ExamplePath(product.BasePath) ?? product.BasePath;
    }
}
