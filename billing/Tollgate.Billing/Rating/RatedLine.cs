namespace Tollgate.Billing.Rating;

/// <summary>A quantity at a price, exact: the invoice line made of it rounds.</summary>
public sealed record RatedLine(string Description, decimal Quantity, decimal UnitPrice)
{
    public decimal Amount => Quantity * UnitPrice;
}
