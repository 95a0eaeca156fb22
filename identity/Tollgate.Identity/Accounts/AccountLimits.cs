using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;

namespace Tollgate.Identity.Accounts;

/// <summary>Slows down guessing and mail floods, by address first and then by e-mail, whether such an account exists or not.</summary>
internal sealed class AccountLimits : IDisposable
{
    private readonly PartitionedRateLimiter<string> _signInsByAddress, _signInsByEmail, _mailsByAddress, _mailsByEmail;

    public AccountLimits(IOptions<TollgateIdentityOptions> options)
    {
        var limits = options.Value.Limits;
        _signInsByAddress = Per(TimeSpan.FromMinutes(1), limits.SignInsPerAddressPerMinute);
        _signInsByEmail = Per(TimeSpan.FromMinutes(1), limits.SignInsPerEmailPerMinute);
        _mailsByAddress = Per(TimeSpan.FromHours(1), limits.MailsPerAddressPerHour);
        _mailsByEmail = Per(TimeSpan.FromHours(1), limits.MailsPerEmailPerHour);
    }

    /// <summary>Null = go ahead; else how long to wait.</summary>
    public TimeSpan? SignIn(IPAddress? from, string email) => Take(_signInsByAddress, Key(from)) ?? Take(_signInsByEmail, Key(email));

    /// <summary>By address alone: nobody guesses a passkey, and an office is one address. Null = go ahead; else how long to wait.</summary>
    public TimeSpan? Passkey(IPAddress? from) => Take(_signInsByAddress, Key(from));

    /// <summary>Null = go ahead; else how long to wait.</summary>
    public TimeSpan? Mail(IPAddress? from, string email) => Take(_mailsByAddress, Key(from)) ?? Take(_mailsByEmail, Key(email));

    /// <summary>Null = go ahead; else how long to wait. Counted for each organisation: one of them takes nothing from the others.</summary>
    public TimeSpan? Invitation(Contracts.OrganisationId from, string email) => Take(_mailsByAddress, "organisation " + from) ?? Take(_mailsByEmail, Key(email));

    public void Dispose()
    {
        _signInsByAddress.Dispose();
        _signInsByEmail.Dispose();
        _mailsByAddress.Dispose();
        _mailsByEmail.Dispose();
    }

    internal static PartitionedRateLimiter<string> Per(TimeSpan window, int permits) =>
        PartitionedRateLimiter.Create<string, string>(key => RateLimitPartition.GetTokenBucketLimiter(key, _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = permits,
            TokensPerPeriod = 1,
            ReplenishmentPeriod = window / permits,
            QueueLimit = 0,
        }));

    internal static TimeSpan? Take(PartitionedRateLimiter<string> limiter, string key)
    {
        using var lease = limiter.AttemptAcquire(key);
        if (lease.IsAcquired) return null;
        return lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) && wait > TimeSpan.FromSeconds(1) ? wait : TimeSpan.FromSeconds(1);
    }

    /// <summary>One household has a whole /64 of IPv6.</summary>
    internal static string Key(IPAddress? from)
    {
        if (from is null) return "local";
        if (from.IsIPv4MappedToIPv6) from = from.MapToIPv4();
        return from.AddressFamily == AddressFamily.InterNetworkV6 ? Convert.ToHexString(from.GetAddressBytes(), 0, 8) : from.ToString();
    }

    private static string Key(string email) => email.Trim().ToUpperInvariant();
}
