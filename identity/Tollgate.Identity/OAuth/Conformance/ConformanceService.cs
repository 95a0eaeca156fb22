using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.OAuth.Conformance;

/// <summary>Holds the server's options and all its clients against the profiles, as they are at this moment.</summary>
public sealed class ConformanceService
{
    private const int MostClients = 500;

    private readonly IDbContextFactory<IdentityDb> _databases;
    private readonly TollgateIdentityOptions _options;
    private readonly TimeProvider _time;

    internal ConformanceService(IDbContextFactory<IdentityDb> databases, IOptions<TollgateIdentityOptions> options, TimeProvider time) =>
        (_databases, _options, _time) = (databases, options.Value, time);

    public async Task<ConformanceReport> ReportAsync(CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        var all = db.OAuthClients.AsNoTracking().Where(c => c.DeletedAt == null);
        var count = await all.CountAsync(cancel);
        var read = await all.Include(c => c.Secrets).OrderBy(c => c.Name).ThenBy(c => c.ClientId).Take(MostClients).ToListAsync(cancel);
        var now = _time.GetUtcNow();
        foreach (var client in read) client.Secrets.RemoveAll(s => !s.IsLive(now));
        var clients = read.FindAll(c => c.Grants.Length > 0);
        return new ConformanceReport(now, _options.IssuerName,
        [
            new(OAuth21Rules.Name, OAuth21Rules.Specification, OAuth21Rules.OfServer(_options),
                clients.ConvertAll(c => new ClientFindings(c.ClientId, c.Name, OAuth21Rules.OfClient(c, _options)))),
            new(Fapi2Rules.Name, Fapi2Rules.Specification, Fapi2Rules.OfServer(_options, clients),
                clients.ConvertAll(c => new ClientFindings(c.ClientId, c.Name, Fapi2Rules.OfClient(c, _options)))),
        ], read.Count - clients.Count, count - read.Count);
    }
}
