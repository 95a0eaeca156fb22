namespace Tollgate.Identity.OAuth.Conformance;

/// <summary>How this server and its clients stand to the profiles that reviewers ask about. The ids of the rules are those of Duende's report.</summary>
/// <param name="Apis">Clients that only ask about tokens: the rules say nothing of them.</param>
/// <param name="LeftOut">Clients beyond the number that one report looks at.</param>
public sealed record ConformanceReport(DateTimeOffset At, string Issuer, IReadOnlyList<ProfileReport> Profiles, int Apis, int LeftOut);

/// <summary>One profile: what is true of the server, and of each client.</summary>
/// <param name="Specification">Where the rules come from.</param>
public sealed record ProfileReport(string Name, string Specification, IReadOnlyList<RuleFinding> Server, IReadOnlyList<ClientFindings> Clients);

/// <summary>A client under the rules of a profile.</summary>
public sealed record ClientFindings(string ClientId, string Name, IReadOnlyList<RuleFinding> Rules)
{
    /// <summary>The worst of its findings.</summary>
    public RuleVerdict Verdict => Rules.Any(r => r.Verdict == RuleVerdict.Fail) ? RuleVerdict.Fail
        : Rules.Any(r => r.Verdict == RuleVerdict.Advice) ? RuleVerdict.Advice : RuleVerdict.Pass;
}

/// <summary>What came of one rule.</summary>
/// <param name="Finding">What is so, and where it fails what to do.</param>
public sealed record RuleFinding(string Id, string Title, RuleVerdict Verdict, string Finding);

/// <summary>How something stands to a rule.</summary>
public enum RuleVerdict
{
    Pass,

    /// <summary>Allowed; the profile recommends something else.</summary>
    Advice,
    Fail,

    /// <summary>The rule is about something that the client does not do.</summary>
    NotApplicable,
}
