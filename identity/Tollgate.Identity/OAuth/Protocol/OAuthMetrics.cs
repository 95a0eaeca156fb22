using System.Diagnostics.Metrics;

namespace Tollgate.Identity.OAuth.Protocol;

/// <summary>What the authorization server counts.</summary>
internal sealed class OAuthMetrics
{
    private readonly Counter<long> _issued, _refused, _authentications, _introspections, _deleted, _notices, _lost;
    private readonly Histogram<double> _cleanUp;

    public OAuthMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("tollgate.identity");
        _issued = meter.CreateCounter<long>("tollgate.identity.tokens.issued", description: "Answers with an access token, by grant");
        _refused = meter.CreateCounter<long>("tollgate.identity.requests.refused", description: "Refusals of the endpoints for programs, by error");
        _authentications = meter.CreateCounter<long>("tollgate.identity.client.authentications", description: "Clients that proved themselves, or did not");
        _introspections = meter.CreateCounter<long>("tollgate.identity.introspections", description: "Questions of APIs, by whether the token was active");
        _deleted = meter.CreateCounter<long>("tollgate.identity.cleanup.deleted", description: "Rows that were over and are deleted, by kind");
        _cleanUp = meter.CreateHistogram<double>("tollgate.identity.cleanup.duration", "s", "How long a clean-up took");
        _notices = meter.CreateCounter<long>("tollgate.identity.logout.notices", description: "Clients told of a session's end, by outcome");
        _lost = meter.CreateCounter<long>("tollgate.identity.audit.lost", description: "Audit events of tokens that could not be kept");
    }

    public void Issued(string grant) => _issued.Add(1, new KeyValuePair<string, object?>("grant", grant));

    public void Refused(string error) => _refused.Add(1, new KeyValuePair<string, object?>("error", error));

    public void Authentication(string method, bool proven) =>
        _authentications.Add(1, new KeyValuePair<string, object?>("method", method), new KeyValuePair<string, object?>("outcome", proven ? "ok" : "refused"));

    public void Introspection(bool active) => _introspections.Add(1, new KeyValuePair<string, object?>("active", active ? "yes" : "no"));

    public void Deleted(string kind, long rows) => _deleted.Add(rows, new KeyValuePair<string, object?>("kind", kind));

    public void CleanedUp(TimeSpan took) => _cleanUp.Record(took.TotalSeconds);

    public void LogoutNotice(bool delivered) => _notices.Add(1, new KeyValuePair<string, object?>("outcome", delivered ? "ok" : "failed"));

    public void AuditLost(long events) => _lost.Add(events);
}
