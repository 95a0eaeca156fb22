using System.Net;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.OAuth.Clients;

namespace Tollgate.Identity.OAuth.Protocol;

/// <summary>How often the endpoints for programs may be called, per node.</summary>
public sealed class TokenLimitOptions
{
    /// <summary>Requests of one client from one address.</summary>
    public int RequestsPerClientPerMinute { get; set; } = 60_000;

    /// <summary>Wrong proofs for one client from one address, before they are answered with 429.</summary>
    public int FailuresPerClientPerMinute { get; set; } = 60;

    /// <summary>Wrong proofs from one address, whichever clients they name.</summary>
    public int FailuresPerAddressPerMinute { get; set; } = 600;

    /// <summary>Requests of public clients from one address that are kept here: of devices, and pushed ones. Anybody can send those.</summary>
    public int UnprovenPerAddressPerMinute { get; set; } = 600;

    /// <summary>User codes that one address may try on the page for devices.</summary>
    public int DeviceCodesPerAddressPerMinute { get; set; } = 30;

    internal string? WhatIsWrong() =>
        Math.Min(Math.Min(RequestsPerClientPerMinute, FailuresPerClientPerMinute), Math.Min(Math.Min(FailuresPerAddressPerMinute, UnprovenPerAddressPerMinute), DeviceCodesPerAddressPerMinute)) < 1
            ? "Each of Identity:TokenLimits is a number from 1 on."
            : null;
}

/// <summary>
/// Slows guessing down. Failures and requests are counted for a client and an address together: whoever guesses at a client from elsewhere
/// takes nothing from it, and a right proof is taken however many wrong ones there were.
/// </summary>
internal sealed class TokenLimits : IDisposable
{
    /// <summary>Tries of a signed-in person at the page for devices (RFC 8628 §5.1), and in how long a time.</summary>
    private const int DeviceCodesPerSession = 5;
    private static readonly TimeSpan DeviceWindow = TimeSpan.FromMinutes(5);

    private readonly PartitionedRateLimiter<string> _requests, _failuresByClient, _failuresByAddress, _unprovenByAddress, _deviceByAddress;
    private readonly CountedTries _deviceBySession;

    public TokenLimits(IOptions<TollgateIdentityOptions> options, TimeProvider time)
    {
        var limits = options.Value.TokenLimits;
        var minute = TimeSpan.FromMinutes(1);
        _requests = AccountLimits.Per(minute, limits.RequestsPerClientPerMinute);
        _failuresByClient = AccountLimits.Per(minute, limits.FailuresPerClientPerMinute);
        _failuresByAddress = AccountLimits.Per(minute, limits.FailuresPerAddressPerMinute);
        _unprovenByAddress = AccountLimits.Per(minute, limits.UnprovenPerAddressPerMinute);
        _deviceByAddress = AccountLimits.Per(minute, limits.DeviceCodesPerAddressPerMinute);
        _deviceBySession = new CountedTries(DeviceCodesPerSession, DeviceWindow, time);
    }

    /// <summary>Null = go ahead; else how long to wait.</summary>
    public TimeSpan? Request(IPAddress? from, string client) => AccountLimits.Take(_requests, Key(from, client));

    /// <summary>A request of a client that had nothing to prove, and of which something is kept. Null = go ahead; else why not.</summary>
    public OAuthRefusal? Unproven(IPAddress? from, OAuthClient client) =>
        client.IsPublic && AccountLimits.Take(_unprovenByAddress, AccountLimits.Key(from)) is { } wait ? OAuthRefusal.TooMany(wait) : null;

    /// <summary>Counts a wrong proof. Null = answer it; else it was one too many, and how long to wait.</summary>
    public TimeSpan? Failure(IPAddress? from, string? client) =>
        AccountLimits.Take(_failuresByAddress, AccountLimits.Key(from)) ?? AccountLimits.Take(_failuresByClient, Key(from, client ?? ""));

    /// <summary>Null = go ahead; else how long to wait. A right code is given back with <see cref="DeviceCodeWasRight"/>.</summary>
    public TimeSpan? DeviceCode(IPAddress? from, Guid session) =>
        AccountLimits.Take(_deviceByAddress, AccountLimits.Key(from)) ?? _deviceBySession.Take(session);

    public void DeviceCodeWasRight(Guid session) => _deviceBySession.GiveBack(session);

    public void Dispose()
    {
        _requests.Dispose();
        _failuresByClient.Dispose();
        _failuresByAddress.Dispose();
        _unprovenByAddress.Dispose();
        _deviceByAddress.Dispose();
    }

    private static string Key(IPAddress? from, string client) =>
        $"{AccountLimits.Key(from)} {(client.Length > InputLimits.ClientId ? client[..InputLimits.ClientId] : client)}";
}
