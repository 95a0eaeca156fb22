namespace Tollgate.Contracts;

/// <summary>What the control plane offers on its internal port. All of it asks for a gateway token: <c>Authorization: Bearer tgw_…</c>.</summary>
public static class InternalPaths
{
    /// <summary><c>GET /feeds/{name}?after={version}&amp;epoch={epoch}&amp;wait={seconds, 0 to 30}</c>.</summary>
    public const string Feeds = "/feeds";

    /// <summary><c>POST</c> a <see cref="Usage.UsageBatch"/>: 200 with a <see cref="Usage.UsageReceipt"/>; anything else means: send again.</summary>
    public const string Usage = "/usage";

    /// <summary><c>GET /usage/total?subscription={id}&amp;from={unix ms}&amp;to={unix ms}</c>: a <see cref="Usage.UsageTotal"/>, without calls with test keys; with <c>&amp;meter=test</c> of these alone.</summary>
    public const string UsageTotal = "/usage/total";

    /// <summary><c>POST</c> a <see cref="Usage.KeyUseReport"/>: 204.</summary>
    public const string KeyUse = "/credentials/used";

    /// <summary><c>POST</c> an <see cref="Explain.ExplainAnswer"/> to a question of the credentials feed: 204.</summary>
    public const string Explanations = "/explanations";

    /// <summary><c>POST</c> a <see cref="Fragments.FragmentReport"/>: 204.</summary>
    public const string FragmentReports = "/routes/standing";
}
