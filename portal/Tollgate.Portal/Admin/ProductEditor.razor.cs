using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Forms;
using Tollgate.Billing.Catalogue;
using Tollgate.Identity.Accounts;
using Tollgate.Portal.Wording;

namespace Tollgate.Portal.Admin;

/// <summary>What an admin says about a product.</summary>
public sealed partial class ProductEditor
{
    private const long MostBytes = 2 * 1024 * 1024;

    private string _title = "";
    private string _name = "";
    private string _basePath = "";
    private string _description = "";
    private string _openApi = "";
    private string _scopes = "";
    private bool _isPublished;
    private bool _saved;
    private ApiReference? _reference;
    private Dictionary<string, string> _errors = [];

    /// <summary>The product to change; null = a new one.</summary>
    [Parameter] public ProductDetails? Product { get; set; }

    [Parameter] public EventCallback<ProductView> OnSaved { get; set; }

    protected override async Task OnInitializedAsync()
    {
        await base.OnInitializedAsync();
        if (Product is not { Product: var product }) return;
        (_title, _name, _basePath, _description, _openApi, _isPublished, _scopes) =
            (product.Title, product.Name, product.BasePath, product.Description, Product.OpenApi, product.IsPublished, string.Join(' ', product.Scopes));
        Check();
    }

    private string? Error(string field) => _errors.GetValueOrDefault(field);

    private void Suggest()
    {
        if (Product is not null || _name.Length > 0) return;
        _name = new string([.. _title.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')]).Trim('-');
        if (_basePath.Length == 0 && _name.Length > 0) _basePath = $"/{_name}/v1";
    }

    private void Check()
    {
        _errors.Remove("openApi");
        (_reference, var error) = ApiReference.Read(_openApi);
        if (error is not null) _errors["openApi"] = error;
    }

    private async Task UploadAsync(InputFileChangeEventArgs picked)
    {
        if (picked.File.Size > MostBytes)
        {
            _errors["openApi"] = "The OpenAPI document has at most 2 MiB.";
            return;
        }

        using var reader = new StreamReader(picked.File.OpenReadStream(MostBytes, Gone));
        _openApi = await reader.ReadToEndAsync(Gone);
        Check();
    }

    private async Task SaveAsync()
    {
        _saved = false;
        if (!await MayAsync(TollgatePolicies.PlatformBilling)) return;
        _errors = [];
        Check();
        if (_errors.Count > 0) return;

        var form = new ProductForm(_title.Trim(), _description, _basePath.Trim(), _openApi, _isPublished, [.. _scopes.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Distinct()]);
        var outcome = Product is null ? await Desk.CreateProductAsync(_name.Trim(), form, Gone) : await Desk.SaveProductAsync(_name, form, Gone);
        switch (outcome)
        {
            case CatalogueOutcome.ProductSaved(var product):
                _saved = true;
                await OnSaved.InvokeAsync(product);
                break;
            case CatalogueOutcome.Invalid(var errors):
                _errors = new Dictionary<string, string>(errors);
                break;
            case CatalogueOutcome.NameTaken(var name):
                _errors["name"] = $"A product called {name} exists already.";
                break;
            default:
                _errors[""] = "The product is no longer there.";
                break;
        }
    }
}
