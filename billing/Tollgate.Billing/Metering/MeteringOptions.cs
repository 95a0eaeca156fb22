using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Tollgate.Billing.Metering;

/// <summary>How usage is summed up: <c>Billing:Metering</c>.</summary>
public sealed class MeteringOptions
{
    public const string Section = "Billing:Metering";

    /// <summary>How often sums of hours are made, in seconds.</summary>
    [Range(1, 3600)] public int RollupSeconds { get; set; } = 30;
}

[OptionsValidator]
internal sealed partial class MeteringOptionsValidator : IValidateOptions<MeteringOptions>;
