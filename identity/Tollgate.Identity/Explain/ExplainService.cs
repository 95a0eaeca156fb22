using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Tollgate.Contracts;
using Tollgate.Contracts.Explain;
using Tollgate.Contracts.Feeds;
using Tollgate.Identity.Storage;
using Tollgate.Storage.Feeds;

namespace Tollgate.Identity.Explain;

/// <summary>
/// Asks all gateways what became of a call, or what they know of a key. The question travels with the credentials feed, which every gateway follows wherever
/// it stands; the answers come to any node of the control plane.
/// </summary>
public sealed class ExplainService
{
    private const int Slots = 32;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(40);

    /// <summary>How long answers are waited for: a gateway hears of a question within a second, and looks a call up in a fraction of one.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>How long after the first answer about a key the other gateways' are waited for.</summary>
    private static readonly TimeSpan Others = TimeSpan.FromMilliseconds(500);

    private readonly IDbContextFactory<IdentityDb> _databases;
    private readonly TimeProvider _time;

    internal ExplainService(IDbContextFactory<IdentityDb> databases, TimeProvider time) => (_databases, _time) = (databases, time);

    /// <summary>What became of a call; null when no gateway in reach remembers it.</summary>
    public async Task<CallExplanation?> CallAsync(string requestId, CancellationToken cancel) =>
        (await AskAsync(requestId, null, TimeSpan.Zero, cancel)).Select(answer => answer.Call).FirstOrDefault(call => call is not null);

    /// <summary>What each gateway in reach knows of a key.</summary>
    public async Task<IReadOnlyList<KeyExplanation>> KeyAsync(string sha256, CancellationToken cancel) =>
        [.. (await AskAsync(null, sha256, Others, cancel)).Select(answer => answer.Key).OfType<KeyExplanation>().OrderBy(key => key.Node, StringComparer.Ordinal)];

    /// <summary>The digest of an organisation's key, by which gateways know it. Null: there is no such key.</summary>
    public async Task<string?> DigestAsync(OrganisationId organisation, AppId application, ApiKeyId key, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        return await db.Keys.Where(k => k.Id == key && k.Application == application && db.Applications.Any(a => a.Id == application && a.Organisation == organisation))
            .Select(k => k.Sha256).SingleOrDefaultAsync(cancel);
    }

    private async Task<IReadOnlyList<ExplainAnswer>> AskAsync(string? requestId, string? sha256, TimeSpan forOthers, CancellationToken cancel)
    {
        var question = Guid.NewGuid();
        var started = _time.GetTimestamp();
        var deadline = _time.GetUtcNow() + Patience;
        await using var db = await _databases.CreateDbContextAsync(cancel);
        await db.SaveWithChangesAsync([new QuestionItem(Random.Shared.Next(Slots), question, requestId, sha256, deadline.ToUnixTimeMilliseconds())], cancel);

        TimeSpan? first = null;
        while (true)
        {
            var answers = await db.GatewayAnswers.AsNoTracking().Where(a => a.Question == question).Select(a => a.Answer).ToListAsync(cancel);
            var gone = _time.GetElapsedTime(started);
            if (answers.Count > 0) first ??= gone;
            if (gone >= Patience || first + forOthers <= gone)
            {
                await db.GatewayAnswers.Where(a => a.Question == question).ExecuteDeleteAsync(cancel);
                return [.. answers.Select(text => JsonSerializer.Deserialize(text, ContractJson.Default.ExplainAnswer)).OfType<ExplainAnswer>()];
            }

            await Task.Delay(Look, _time, cancel);
        }
    }
}
