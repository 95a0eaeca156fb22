using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tollgate.Identity.Audit;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.OAuth.Keys;

/// <summary>
/// The keys that sign tokens, made and replaced in time. There is always a successor in the published set, long before it signs, so that
/// whoever holds the set knows it by then.
/// </summary>
internal sealed partial class SigningKeys(
    IDbContextFactory<IdentityDb> databases, IDataProtectionProvider protection, IOptions<TollgateIdentityOptions> options,
    TimeProvider time, ILogger<SigningKeys> logger) : IDisposable
{
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(30);

    private readonly IDataProtector _protector = protection.CreateProtector("Tollgate.Identity.SigningKeys");
    private readonly ConcurrentDictionary<string, KeyPair> _known = new();
    private readonly SemaphoreSlim _loading = new(1, 1);
    private volatile KeySet? _current;

    public async ValueTask<KeySet> GetAsync(CancellationToken cancel)
    {
        if (_current is { } fresh && time.GetUtcNow() < fresh.FreshUntil) return fresh;
        await _loading.WaitAsync(cancel);
        try
        {
            if (_current is { } other && time.GetUtcNow() < other.FreshUntil) return other;
            return _current = await LoadAsync(cancel);
        }
        catch (Exception lost) when (_current is not null && lost is not OperationCanceledException)
        {
            Log.KeysNotRead(logger, lost.Message);
            return _current;   // the keys in hand still sign while the database is away
        }
        finally
        {
            _loading.Release();
        }
    }

    public void Dispose() => _loading.Dispose();

    private async Task<KeySet> LoadAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var now = time.GetUtcNow();
        var rows = await ReadAsync(db, cancel);
        foreach (var algorithm in Algorithms.All)
            while (await RotateAsync(db, algorithm, [.. rows.Where(k => k.Algorithm == algorithm)], now, cancel)) rows = await ReadAsync(db, cancel);

        var retain = TimeSpan.FromDays(options.Value.SigningKeys.RetainDays);
        var signers = Algorithms.All.ToDictionary(a => a, a => Signer([.. rows.Where(k => k.Algorithm == a)], now)!);
        var published = rows.Where(k => signers.Values.Contains(k) || now < k.SignsUntil + retain).ToList();
        if (rows.Except(published).Select(k => k.Kid).ToArray() is { Length: > 0 } over)
            await db.SigningKeys.Where(k => over.Contains(k.Kid)).ExecuteDeleteAsync(cancel);

        var next = published.Where(k => k.SignsFrom > now).Select(k => k.SignsFrom).DefaultIfEmpty(DateTimeOffset.MaxValue).Min();
        var freshUntil = next < now + Freshness ? next : now + Freshness;
        return new KeySet(signers.ToDictionary(s => s.Key, s => Open(s.Value)), [.. published.Select(Open)], freshUntil);
    }

    private static Task<List<SigningKey>> ReadAsync(IdentityDb db, CancellationToken cancel) =>
        db.SigningKeys.AsNoTracking().OrderByDescending(k => k.Generation).ThenByDescending(k => k.Algorithm).ToListAsync(cancel);

    /// <summary>The newest whose time has come; beyond its time it signs on rather than nothing does.</summary>
    private SigningKey? Signer(List<SigningKey> rows, DateTimeOffset now) => rows.Find(k => k.SignsFrom <= now && Open(k).CanSign);

    /// <summary>Adds a signer where there is none, and a successor to the last one. True: look again.</summary>
    private async Task<bool> RotateAsync(IdentityDb db, string algorithm, List<SigningKey> rows, DateTimeOffset now, CancellationToken cancel)
    {
        var newest = rows.FirstOrDefault();
        var announced = now.AddDays(options.Value.SigningKeys.AnnounceDays);
        DateTimeOffset from;
        if (Signer(rows, now) is null) from = now;
        else if (newest!.SignsFrom <= now || !Open(newest).CanSign) from = newest.SignsUntil > announced ? newest.SignsUntil : announced;
        else return false;

        var (pair, privateKey) = FreshKey.Make(algorithm);
        db.Add(new SigningKey
        {
            Kid = pair.Kid,
            Algorithm = algorithm,
            Generation = (newest?.Generation ?? 0) + 1,
            Modulus = (pair as RsaKeyPair)?.Modulus,
            Exponent = (pair as RsaKeyPair)?.Exponent,
            X = (pair as EcKeyPair)?.X,
            Y = (pair as EcKeyPair)?.Y,
            ProtectedPrivateKey = _protector.Protect(Convert.ToBase64String(privateKey)),
            Created = now,
            SignsFrom = from,
            SignsUntil = from.AddDays(options.Value.SigningKeys.SignsDays),
        });
        db.Add(AuditLog.OfTheProduct("signing-key.made", pair.Kid, now));
        try
        {
            await db.SaveChangesAsync(cancel);
            Log.KeyMade(logger, pair.Kid, algorithm, from);
        }
        catch (DbUpdateException)
        {
            // Another node made this generation at the same moment; any other trouble shows itself when the rows are read again.
            db.ChangeTracker.Clear();
        }

        return true;
    }

    private KeyPair Open(SigningKey row) => _known.GetOrAdd(row.Kid, _ =>
    {
        try
        {
            return FreshKey.Open(row.Algorithm, Convert.FromBase64String(_protector.Unprotect(row.ProtectedPrivateKey)));
        }
        catch (CryptographicException)
        {
            Log.KeyNotOpened(logger, row.Kid);
            return FreshKey.PublicHalf(row);
        }
    });

    private static partial class Log
    {
        [LoggerMessage(2401, LogLevel.Information, "Signing key {Kid} is made for {Algorithm} and signs from {From:u}")]
        public static partial void KeyMade(ILogger logger, string kid, string algorithm, DateTimeOffset from);

        [LoggerMessage(2402, LogLevel.Error, "Signing key {Kid} cannot be opened: the key ring that protects it is not here. Another one takes its place")]
        public static partial void KeyNotOpened(ILogger logger, string kid);

        [LoggerMessage(2403, LogLevel.Warning, "The signing keys could not be read, those in hand are used on: {Reason}")]
        public static partial void KeysNotRead(ILogger logger, string reason);
    }
}
