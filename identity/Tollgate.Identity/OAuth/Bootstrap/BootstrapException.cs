using Microsoft.Extensions.Options;

namespace Tollgate.Identity.OAuth.Bootstrap;

/// <summary>The bootstrap file cannot be applied, and the start is off; the message is for the operator.</summary>
internal sealed class BootstrapException(params string[] sentences)
    : OptionsValidationException(TollgateIdentityOptions.Section, typeof(TollgateIdentityOptions), sentences);
