using Tollgate.Gateway.Balancing;

namespace Tollgate.Gateway.Ocelot;

/// <summary>
/// How calls are balanced and brought to a host, as the <c>"Tollgate"</c> block of a route, or of <c>GlobalConfiguration</c> for all routes, says it:
/// <c>LoadBalancing</c>, <c>HealthChecks</c>, <c>Retry</c>, <c>Hedging</c>, <c>Timeouts</c>, <c>Canary</c>, <c>Mirror</c>.
/// </summary>
internal sealed class TollgateDelivery
{
    private const long Day = 86_400_000;

    /// <summary>What a route may write; what is not here is read elsewhere.</summary>
    public static readonly string[] Names = ["LoadBalancing", "HealthChecks", "Retry", "Hedging", "Timeouts", "Canary", "Mirror"];

    public LoadBalancingBlock? LoadBalancing { get; init; }
    public PassiveHealth? Passive { get; init; }
    public ActiveHealth? Active { get; init; }
    public RetryBlock? Retry { get; init; }
    public HedgeRule? Hedging { get; init; }
    public TimeoutsBlock? Timeouts { get; init; }
    public CanaryBlock? Canary { get; init; }
    public MirrorBlock? Mirror { get; init; }

    public static TollgateDelivery Read(JsonEntry parent, List<ConfigurationError> errors, List<ConfigurationError> warnings)
    {
        if (parent.ReadObject("Tollgate", errors) is not { } json) return new TollgateDelivery();
        var health = json.ReadObject("HealthChecks", errors);
        health?.WarnOfUnknown(["Passive", "Active"], warnings);
        return new TollgateDelivery
        {
            LoadBalancing = LoadBalancingBlock.Read(json.ReadObject("LoadBalancing", errors), errors, warnings),
            Passive = ReadPassive(health?.ReadObject("Passive", errors), errors, warnings),
            Active = ReadActive(health?.ReadObject("Active", errors), errors, warnings),
            Retry = RetryBlock.Read(json.ReadObject("Retry", errors), errors, warnings),
            Hedging = ReadHedging(json.ReadObject("Hedging", errors), errors, warnings),
            Timeouts = TimeoutsBlock.Read(json.ReadObject("Timeouts", errors), errors, warnings),
            Canary = CanaryBlock.Read(json.ReadObject("Canary", errors), errors, warnings),
            Mirror = MirrorBlock.Read(json.ReadObject("Mirror", errors), errors, warnings),
        };
    }

    /// <summary>Block by block, the route before the global part.</summary>
    public TollgateDelivery Or(TollgateDelivery global) => new()
    {
        LoadBalancing = LoadBalancing ?? global.LoadBalancing,
        Passive = Passive ?? global.Passive,
        Active = Active ?? global.Active,
        Retry = Retry ?? global.Retry,
        Hedging = Hedging ?? global.Hedging,
        Timeouts = Timeouts ?? global.Timeouts,
        Canary = Canary,
        Mirror = Mirror ?? global.Mirror,
    };

    private static PassiveHealth? ReadPassive(JsonEntry? json, List<ConfigurationError> errors, List<ConfigurationError> warnings)
    {
        if (json is null) return null;
        json.WarnOfUnknown(["Failures", "Statuses", "Timeouts", "Ejection", "LongestEjection", "MaxEjectedPercent"], warnings);
        var usual = new PassiveHealth();
        var ejection = json.ReadDuration("Ejection", 10, Day, errors) ?? usual.EjectionMs;
        return new PassiveHealth
        {
            Failures = (int)(json.ReadNumber("Failures", 1, 1000, errors) ?? usual.Failures),
            Statuses = new EquatableStatuses(json.ReadStatuses("Statuses", errors) ?? [502, 503, 504]),
            CountsTimeouts = json.ReadFlag("Timeouts", errors) ?? true,
            EjectionMs = ejection,
            LongestEjectionMs = Math.Max(ejection, json.ReadDuration("LongestEjection", 10, Day, errors) ?? usual.LongestEjectionMs),
            MaxEjectedPercent = (int)(json.ReadNumber("MaxEjectedPercent", 0, 100, errors) ?? usual.MaxEjectedPercent),
        };
    }

    private static ActiveHealth? ReadActive(JsonEntry? json, List<ConfigurationError> errors, List<ConfigurationError> warnings)
    {
        if (json is null) return null;
        json.WarnOfUnknown(["Path", "Interval", "Timeout", "Healthy", "Unhealthy", "Statuses"], warnings);
        var path = json.ReadText("Path", errors) ?? "";
        if (!path.StartsWith('/') || path.AsSpan().IndexOfAnyInRange('\0', ' ') >= 0) errors.Add(json.Error("Path", "a path that starts with / is needed here, such as \"/health\"."));
        return new ActiveHealth
        {
            Path = path,
            IntervalMs = json.ReadDuration("Interval", 50, Day, errors) ?? 5000,
            TimeoutMs = json.ReadDuration("Timeout", 10, 300_000, errors) ?? 2000,
            Healthy = (int)(json.ReadNumber("Healthy", 1, 100, errors) ?? 1),
            Unhealthy = (int)(json.ReadNumber("Unhealthy", 1, 100, errors) ?? 2),
            Statuses = new EquatableStatuses(json.ReadStatuses("Statuses", errors) ?? []),
        };
    }

    private static HedgeRule? ReadHedging(JsonEntry? json, List<ConfigurationError> errors, List<ConfigurationError> warnings)
    {
        if (json is null) return null;
        json.WarnOfUnknown(["After", "Most"], warnings);
        var after = json.ReadDuration("After", 1, 600_000, errors);
        if (after is null && json["After"] is null) errors.Add(json.Error("After", "a duration is needed here: when a second host is asked."));
        return new HedgeRule((int)(after ?? 1000), (int)(json.ReadNumber("Most", 1, 5, errors) ?? 1));
    }
}

/// <summary><c>LoadBalancing</c>.</summary>
internal sealed record LoadBalancingBlock(BalancingPolicy Policy, HashRule? Hash, AffinityCookie? Cookie, long SlowStartMs)
{
    private static readonly string[] Policies = ["RoundRobin", "Weighted", "Random", "LeastRequests", "PowerOfTwoChoices", "ConsistentHash", "Cookie", "First"];

    public static LoadBalancingBlock? Read(JsonEntry? json, List<ConfigurationError> errors, List<ConfigurationError> warnings)
    {
        if (json is null) return null;
        json.WarnOfUnknown(["Policy", "HashBy", "HashName", "BoundedLoad", "CookieName", "CookieMaxAge", "SlowStart"], warnings);
        var policy = json.ReadChoice("Policy", Policies, errors) switch
        {
            "Random" => BalancingPolicy.Random,
            "LeastRequests" => BalancingPolicy.LeastRequests,
            "PowerOfTwoChoices" => BalancingPolicy.TwoChoices,
            "ConsistentHash" => BalancingPolicy.Hash,
            "Cookie" => BalancingPolicy.Cookie,
            "First" => BalancingPolicy.First,
            _ => BalancingPolicy.Turns,
        };
        return new LoadBalancingBlock(policy, policy == BalancingPolicy.Hash ? ReadHash(json, errors) : null, policy == BalancingPolicy.Cookie ? ReadCookie(json, errors) : null,
            json.ReadDuration("SlowStart", 100, 3_600_000, errors) ?? 0);
    }

    private static HashRule ReadHash(JsonEntry json, List<ConfigurationError> errors)
    {
        var source = json.ReadChoice("HashBy", ["ClientAddress", "Header", "Cookie", "Key"], errors) switch
        {
            "Header" => HashSource.Header,
            "Cookie" => HashSource.Cookie,
            "Key" => HashSource.Key,
            _ => HashSource.ClientAddress,
        };
        var name = json.ReadText("HashName", errors) ?? "";
        if (source is HashSource.Header or HashSource.Cookie && !OcelotValidation.IsToken(name)) errors.Add(json.Error("HashName", "the name of the header or cookie is needed here."));
        var bound = json.ReadDecimal("BoundedLoad", 0, 100, errors) ?? 1.25;
        if (bound is > 0 and < 1) errors.Add(json.Error("BoundedLoad", "a host cannot take less than its fair share: write 0 for no bound, or a number from 1 on."));
        return new HashRule(source, name, bound);
    }

    private static AffinityCookie ReadCookie(JsonEntry json, List<ConfigurationError> errors)
    {
        var name = json.ReadText("CookieName", errors) ?? "tollgate-host";
        if (!OcelotValidation.IsToken(name)) errors.Add(json.Error("CookieName", $"\"{name}\" is not a cookie's name."));
        return new AffinityCookie(name, (json.ReadDuration("CookieMaxAge", 1000, 400L * 86_400_000, errors) ?? 0) / 1000);
    }
}

/// <summary><c>Retry</c>.</summary>
internal sealed record RetryBlock(int Attempts, EquatableStatuses Statuses, int AttemptMs, int WaitMs, int BodyBytes, bool AllMethods, int BudgetPercent)
{
    public static RetryBlock? Read(JsonEntry? json, List<ConfigurationError> errors, List<ConfigurationError> warnings)
    {
        if (json is null) return null;
        json.WarnOfUnknown(["Attempts", "Statuses", "AttemptTimeout", "Wait", "BodyBytes", "AllMethods", "BudgetPercent"], warnings);
        return new RetryBlock(
            (int)(json.ReadNumber("Attempts", 1, 16, errors) ?? 3),
            new EquatableStatuses(json.ReadStatuses("Statuses", errors) ?? []),
            (int)(json.ReadDuration("AttemptTimeout", 1, 3_600_000, errors) ?? 0),
            (int)(json.ReadDuration("Wait", 0, 60_000, errors) ?? 0),
            (int)(json.ReadNumber("BodyBytes", 0, 16_777_216, errors) ?? 65_536),
            json.ReadFlag("AllMethods", errors) ?? false,
            (int)(json.ReadNumber("BudgetPercent", 0, 100, errors) ?? 20));
    }

    public RetryRule Compile() => new()
    {
        Attempts = Attempts, Statuses = Statuses, AttemptMs = AttemptMs, WaitMs = WaitMs, BodyBytes = BodyBytes, AllMethods = AllMethods, Budget = new RetryBudget(BudgetPercent),
    };
}

/// <summary><c>Timeouts</c>.</summary>
internal sealed record TimeoutsBlock(int ConnectMs, int ActivityMs, int TotalMs)
{
    public static TimeoutsBlock? Read(JsonEntry? json, List<ConfigurationError> errors, List<ConfigurationError> warnings)
    {
        if (json is null) return null;
        json.WarnOfUnknown(["Connect", "Activity", "Total"], warnings);
        return new TimeoutsBlock(
            (int)(json.ReadDuration("Connect", 1, 600_000, errors) ?? 0),
            (int)(json.ReadDuration("Activity", 10, 86_400_000, errors) ?? 0),
            (int)(json.ReadDuration("Total", 1, 86_400_000, errors) ?? 0));
    }
}

/// <summary><c>Canary</c>.</summary>
internal sealed record CanaryBlock(IReadOnlyList<OcelotHost> Hosts, CanaryRule Rule)
{
    public static CanaryBlock? Read(JsonEntry? json, List<ConfigurationError> errors, List<ConfigurationError> warnings)
    {
        if (json is null) return null;
        json.WarnOfUnknown(["Hosts", "Percent", "By", "Header", "HeaderValue", "Consumers"], warnings);
        var header = json.ReadText("Header", errors) is { Length: > 0 } name ? name : null;
        if (header is not null && !OcelotValidation.IsToken(header)) errors.Add(json.Error("Header", $"\"{header}\" is not a header name."));
        var percent = json.ReadDecimal("Percent", 0, 100, errors) ?? 0;
        string[] consumers = [.. json.ReadTexts("Consumers", errors)];
        if (percent == 0 && header is null && consumers.Length == 0 && json["Percent"] is null) errors.Add(json.Error("Percent", "a Percent, a Header or Consumers are needed here: who goes to the canary."));
        return new CanaryBlock(OcelotBinding.Hosts(json, "Hosts", errors, warnings: null), new CanaryRule(
            (int)Math.Round(percent * 100), json.ReadChoice("By", ["Call", "Consumer"], errors) == "Consumer", header, json.ReadText("HeaderValue", errors), consumers));
    }
}

/// <summary><c>Mirror</c>.</summary>
internal sealed record MirrorBlock(IReadOnlyList<OcelotHost> Hosts, int TenThousandths, int MostAtOnce, int BodyBytes, int TimeoutMs)
{
    public static MirrorBlock? Read(JsonEntry? json, List<ConfigurationError> errors, List<ConfigurationError> warnings)
    {
        if (json is null) return null;
        json.WarnOfUnknown(["Hosts", "Percent", "MostAtOnce", "BodyBytes", "Timeout"], warnings);
        return new MirrorBlock(
            OcelotBinding.Hosts(json, "Hosts", errors, warnings: null),
            (int)Math.Round((json.ReadDecimal("Percent", 0, 100, errors) ?? 100) * 100),
            (int)(json.ReadNumber("MostAtOnce", 1, 10_000, errors) ?? 64),
            (int)(json.ReadNumber("BodyBytes", 0, 16_777_216, errors) ?? 65_536),
            (int)(json.ReadDuration("Timeout", 1, 600_000, errors) ?? 10_000));
    }
}
