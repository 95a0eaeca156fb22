using System.Globalization;
using System.Text.Json;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Policy.Credentials;

namespace Tollgate.Gateway.Consumers;

/// <summary>
/// A <c>consumers.json</c>: plans, applications, their keys and subscriptions, for a gateway without a control plane. Read whole or not at all,
/// into the same items that the feeds bring.
/// </summary>
internal sealed class ConsumersFile
{
    private const long LargestUnits = 1_000_000_000_000;
    private const int MostLimits = 16;

    /// <summary>A Monday midnight and a first of the month: where a quota's periods begin unless the file says otherwise.</summary>
    private static readonly DateTime DefaultAnchor = new(2024, 1, 1);

    private readonly string _file;
    private readonly Dictionary<string, Plan> _plans = new(StringComparer.Ordinal);
    private readonly Dictionary<string, LocatedJson> _digests = new(StringComparer.Ordinal);
    private readonly Dictionary<string, LocatedJson> _clients = new(StringComparer.Ordinal);
    private readonly List<FeedItem> _credentials = [];
    private readonly List<FeedItem> _entitlements = [];

    private ConsumersFile(string file) => _file = file;

    /// <summary>Applications, keys and clients.</summary>
    public IReadOnlyList<FeedItem> Credentials => _credentials;

    public IReadOnlyList<FeedItem> Entitlements => _entitlements;

    /// <summary>Reads a file's content. Throws <see cref="ConsumersFileException"/> for the first thing that is wrong with it.</summary>
    public static ConsumersFile Read(ReadOnlySpan<byte> utf8, string file)
    {
        var consumers = new ConsumersFile(file);
        var root = consumers.Object(LocatedJson.Parse(utf8, file), "plans", "applications");
        if (root.GetValueOrDefault("plans") is { } plans)
        {
            foreach (var plan in consumers.Array(plans))
                consumers.ReadPlan(plan);
        }
        var names = new HashSet<string>(StringComparer.Ordinal);
        if (root.GetValueOrDefault("applications") is { } applications)
        {
            foreach (var application in consumers.Array(applications))
                consumers.ReadApplication(application, names);
        }
        return consumers;
    }

    private void ReadPlan(LocatedJson json)
    {
        var members = Object(json, "name", "products", "onLedgerLoss", "limits", "quotas", "concurrency");
        var name = Name(Required(json, members, "name"));
        var products = Array(Required(json, members, "products")).Select(Name).ToArray();
        if (products.Length == 0)
            throw Wrong(members["products"], "A plan opens at least one product.");
        if (products.Distinct(StringComparer.Ordinal).Count() != products.Length)
            throw Wrong(members["products"], "A product is named twice.");

        var onLoss = members.GetValueOrDefault("onLedgerLoss") is not { } loss ? LedgerLoss.FairShare : String(loss) switch
        {
            "fair-share" => LedgerLoss.FairShare,
            "closed" => LedgerLoss.Closed,
            "open" => LedgerLoss.Open,
            var other => throw Wrong(loss, $"\"{other}\" is not one of \"fair-share\", \"closed\" and \"open\"."),
        };
        var limits = Array(members.GetValueOrDefault("limits")).Select(ReadLimit).ToArray();
        var quotas = Array(members.GetValueOrDefault("quotas")).Select(ReadQuota).ToArray();
        var concurrency = Array(members.GetValueOrDefault("concurrency")).Select(ReadConcurrency).ToArray();
        if (limits.Length + quotas.Length + concurrency.Length > MostLimits)
            throw Wrong(json, $"A plan holds at most {MostLimits} limits and quotas.");
        var used = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (limit, at) in limits.Zip(Array(members.GetValueOrDefault("limits"))))
            Unique(used, limit.Name, at, "limit or quota");
        foreach (var (quota, at) in quotas.Zip(Array(members.GetValueOrDefault("quotas"))))
            Unique(used, quota.Name, at, "limit or quota");
        foreach (var (limit, at) in concurrency.Zip(Array(members.GetValueOrDefault("concurrency"))))
            Unique(used, limit.Name, at, "limit or quota");
        foreach (var (limit, at) in limits.Zip(Array(members.GetValueOrDefault("limits"))))
        {
            if (limit.Reach?.Overrides is { } overridden && (overridden == limit.Name || limits.All(other => other.Name != overridden)))
                throw Wrong(at, $"There is no other limit named \"{overridden}\" in this plan for \"{limit.Name}\" to take the place of.");
        }
        if (!_plans.TryAdd(name, new Plan(name, products, onLoss, limits, quotas, concurrency)))
            throw Wrong(json, $"A plan named \"{name}\" stands above already.");
    }

    private RateLimit ReadLimit(LocatedJson json)
    {
        var members = Object(json, "name", "calls", "window", "burst", "per", "operations", "overrides", "shadow");
        return new RateLimit(
            HeaderName(Required(json, members, "name")),
            Units(Required(json, members, "calls")),
            WindowMs(Required(json, members, "window")),
            members.GetValueOrDefault("burst") is { } burst ? Units(burst) : null,
            Reach(members));
    }

    private ConcurrencyLimit ReadConcurrency(LocatedJson json)
    {
        var members = Object(json, "name", "calls", "per", "operations", "shadow");
        return new ConcurrencyLimit(HeaderName(Required(json, members, "name")), Units(Required(json, members, "calls")), Reach(members));
    }

    private LimitReach? Reach(Dictionary<string, LocatedJson> members)
    {
        var per = members.GetValueOrDefault("per") is not { } text ? LimitPer.Subscription : String(text) switch
        {
            "subscription" or "application" => LimitPer.Subscription,
            "organisation" => LimitPer.Organisation,
            "key" => LimitPer.Key,
            var other => throw Wrong(text, $"\"{other}\" is not one of \"organisation\", \"application\" and \"key\"."),
        };
        var operations = members.GetValueOrDefault("operations") is { } list ? Array(list).Select(Name).ToArray() : null;
        if (operations is { Length: 0 })
            throw Wrong(members["operations"], "Name at least one operation, or leave the list out: the limit is then for all.");
        var overrides = members.GetValueOrDefault("overrides") is { } overridden ? HeaderName(overridden) : null;
        if (overrides is not null && operations is null)
            throw Wrong(members["overrides"], "A limit takes the place of another for some operations: name them in \"operations\".");
        var shadow = members.GetValueOrDefault("shadow") is { } flag && Bool(flag);
        return per == LimitPer.Subscription && operations is null && !shadow ? null : new LimitReach(per, operations, overrides, shadow);
    }

    private PlanQuota ReadQuota(LocatedJson json)
    {
        var members = Object(json, "name", "calls", "period", "hard", "anchor", "timeZone", "shadow");
        var period = Required(json, members, "period");
        return new PlanQuota(
            HeaderName(Required(json, members, "name")),
            Units(Required(json, members, "calls")),
            String(period) switch
            {
                "day" => QuotaPeriod.Day,
                "week" => QuotaPeriod.Week,
                "month" => QuotaPeriod.Month,
                var other => throw Wrong(period, $"\"{other}\" is not one of \"day\", \"week\" and \"month\"."),
            },
            members.GetValueOrDefault("hard") is not { } hard || Bool(hard),
            members.GetValueOrDefault("anchor") is { } anchor ? Moment(anchor) : null,
            members.GetValueOrDefault("timeZone") is { } zone ? Zone(zone) : null,
            members.GetValueOrDefault("shadow") is { } shadow && Bool(shadow));
    }

    private void ReadApplication(LocatedJson json, HashSet<string> names)
    {
        var members = Object(json, "name", "organisation", "suspended", "subscriptions", "keys", "clients");
        var name = Name(Required(json, members, "name"));
        Unique(names, name, json, "application");
        var organisation = members.GetValueOrDefault("organisation") is { } text ? Name(text) : name;
        var id = new AppId(NamedId.Of("application", name));
        var suspended = members.GetValueOrDefault("suspended") is { } flag && Bool(flag);
        _credentials.Add(new ApplicationItem(id, new OrganisationId(NamedId.Of("organisation", organisation)), name, organisation, Suspended: false, ApplicationSuspended: suspended));

        foreach (var key in Array(members.GetValueOrDefault("keys")))
            ReadKey(key, id);
        foreach (var client in Array(members.GetValueOrDefault("clients")))
        {
            var item = ReadClient(client, id);
            if (!_clients.TryAdd(item.Key, client))
                throw Wrong(client, $"The client \"{item.ClientId}\" stands at line {_clients[item.Key].Line} already.");
            _credentials.Add(item);
        }
        var products = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var subscription in Array(members.GetValueOrDefault("subscriptions")))
            ReadSubscription(subscription, name, id, new OrganisationId(NamedId.Of("organisation", organisation)), products);
    }

    /// <summary>A client id, or one that is bound to its issuer: <c>{ "id": …, "issuer": … }</c>.</summary>
    private ClientItem ReadClient(LocatedJson json, AppId application)
    {
        if (json.Kind != JsonTokenType.StartObject) return new ClientItem(Name(json), application);
        var members = Object(json, "id", "issuer");
        return new ClientItem(Name(Required(json, members, "id")), application, members.GetValueOrDefault("issuer") is { } issuer ? Name(issuer) : null);
    }

    private void ReadKey(LocatedJson json, AppId application)
    {
        var members = Object(json, "key", "sha256", "expires", "scopes", "networks", "revoked", "highRisk", "test");
        var raw = members.GetValueOrDefault("key");
        var sha256 = members.GetValueOrDefault("sha256");
        if ((raw is null) == (sha256 is null))
            throw Wrong(json, "A key has either \"key\" (its text) or \"sha256\" (the digest of its text).");

        var digest = raw is not null ? Digest(raw, out var prefix) : Digest(sha256!, raw: false, out prefix);
        if (!_digests.TryAdd(digest, json))
            throw Wrong(json, $"The same key stands at line {_digests[digest].Line} already.");
        _credentials.Add(new KeyItem(
            new ApiKeyId(NamedId.Of("key", digest)),
            digest,
            application,
            prefix,
            members.GetValueOrDefault("revoked") is { } revoked && Bool(revoked),
            members.GetValueOrDefault("expires") is { } expires ? Moment(expires).ToUnixTimeMilliseconds() : null,
            members.GetValueOrDefault("scopes") is { } scopes ? Array(scopes).Select(Name).ToArray() : null,
            members.GetValueOrDefault("networks") is { } networks ? Array(networks).Select(Network).ToArray() : null,
            members.GetValueOrDefault("highRisk") is { } highRisk && Bool(highRisk),
            members.GetValueOrDefault("test") is { } test && Bool(test)));
    }

    private string Digest(LocatedJson json, out string prefix)
    {
        var key = String(json);
        if (key.Length is 0 or > 512)
            throw Wrong(json, "A key has 1 to 512 characters.");
        if (key.StartsWith(ApiKeyFormat.Mark, StringComparison.Ordinal) && !ApiKeyFormat.IsWellFormed(key))
            throw Wrong(json, $"A key that begins with \"{ApiKeyFormat.Mark}\" must be one of Tollgate's: {ApiKeyFormat.Length} characters with a right checksum. This one is mistyped or cut off, and would be refused.");
        prefix = ApiKeyFormat.Prefix(key);
        return ApiKeyFormat.Sha256Hex(key);
    }

    private string Digest(LocatedJson json, bool raw, out string prefix)
    {
        prefix = "";
        var digest = String(json).ToLowerInvariant();
        return !raw && KeyDigest.TryParse(digest, out _) ? digest : throw Wrong(json, "A SHA-256 digest is 64 hexadecimal digits.");
    }

    private void ReadSubscription(LocatedJson json, string application, AppId id, OrganisationId owner, Dictionary<string, string> products)
    {
        var members = Object(json, "plan", "state", "anchor", "timeZone");
        var planName = Required(json, members, "plan");
        if (!_plans.TryGetValue(String(planName), out var plan))
            throw Wrong(planName, $"There is no plan named \"{String(planName)}\".");

        var state = members.GetValueOrDefault("state") is not { } stateText ? EntitlementState.Active : String(stateText) switch
        {
            "active" => EntitlementState.Active,
            "pending" => EntitlementState.Pending,
            "paused" => EntitlementState.Paused,
            "cancelled" => EntitlementState.Cancelled,
            "unpaid" => EntitlementState.Unpaid,
            "suspended" => EntitlementState.Suspended,
            var other => throw Wrong(stateText, $"\"{other}\" is not one of \"active\", \"pending\", \"paused\", \"cancelled\", \"unpaid\" and \"suspended\"."),
        };
        DateTimeOffset? anchor = members.GetValueOrDefault("anchor") is { } anchorText ? Moment(anchorText) : null;
        var zone = members.GetValueOrDefault("timeZone") is { } zoneText ? Zone(zoneText) : null;
        var subscription = new SubscriptionId(NamedId.Of("subscription", application, plan.Name));
        var version = new PlanVersionId(NamedId.Of("plan", plan.Name));
        var quotas = plan.Quotas.Select(quota => quota.At(anchor, zone)).ToArray();
        foreach (var product in plan.Products)
        {
            if (!products.TryAdd(product, plan.Name))
                throw Wrong(json, $"The product \"{product}\" is open to \"{application}\" by the plan \"{products[product]}\" already.");
            _entitlements.Add(new EntitlementItem(subscription, id, product, plan.Name, version, state, plan.OnLoss, plan.Limits, quotas, plan.Concurrency, owner));
        }
    }

    private Dictionary<string, LocatedJson> Object(LocatedJson json, params ReadOnlySpan<string> known)
    {
        if (json.Kind != JsonTokenType.StartObject)
            throw Wrong(json, "An object { … } is expected here.");
        var members = new Dictionary<string, LocatedJson>(StringComparer.Ordinal);
        foreach (var (name, value) in json.Properties)
        {
            if (name.StartsWith('$'))    // "$schema" and the like
                continue;
            if (!known.Contains(name))
                throw Wrong(value, $"There is no property \"{name}\" here. Known are: {string.Join(", ", known.ToArray())}.");
            if (!members.TryAdd(name, value))
                throw Wrong(value, $"The property \"{name}\" stands here twice.");
        }
        return members;
    }

    private IReadOnlyList<LocatedJson> Array(LocatedJson? json) => json switch
    {
        null => [],
        { Kind: JsonTokenType.StartArray } => json.Items,
        _ => throw Wrong(json, "A list [ … ] is expected here."),
    };

    private LocatedJson Required(LocatedJson parent, Dictionary<string, LocatedJson> members, string name) =>
        members.GetValueOrDefault(name) ?? throw new ConsumersFileException(
            _file, parent.Line, parent.Path.Length == 0 ? name : $"{parent.Path}.{name}", $"The property \"{name}\" is missing.");

    private string String(LocatedJson json) => json.Kind == JsonTokenType.String ? json.Text : throw Wrong(json, "A text in quotes is expected here.");

    private bool Bool(LocatedJson json) => json.Kind switch
    {
        JsonTokenType.True => true,
        JsonTokenType.False => false,
        _ => throw Wrong(json, "true or false is expected here."),
    };

    private string Name(LocatedJson json) => String(json) is { Length: > 0 and <= 200 } name ? name : throw Wrong(json, "A name has 1 to 200 characters.");

    private string HeaderName(LocatedJson json)
    {
        var name = String(json);
        return name.Length is > 0 and <= 40 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
            ? name
            : throw Wrong(json, "The name of a limit or quota has 1 to 40 letters, digits, \"-\" or \"_\": callers see it in headers.");
    }

    private long Units(LocatedJson json) =>
        json.Kind == JsonTokenType.Number && long.TryParse(json.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var units) && units is >= 1 and <= LargestUnits
            ? units
            : throw Wrong(json, "A whole number from 1 to 1000000000000 is expected here.");

    private long WindowMs(LocatedJson json) =>
        WindowText.TryParse(String(json), out var windowMs) ? windowMs : throw Wrong(json, WindowText.Expected);

    private DateTimeOffset Moment(LocatedJson json) =>
        DateTimeOffset.TryParse(String(json), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment) && moment.Year is >= 1970 and < 2900
            ? moment
            : throw Wrong(json, "A moment such as \"2027-01-01T00:00:00Z\" is expected here.");

    private string Zone(LocatedJson json) =>
        TimeZoneInfo.TryFindSystemTimeZoneById(String(json), out _) ? json.Text : throw Wrong(json, "A time zone of the IANA list such as \"Europe/Berlin\" is expected here.");

    private string Network(LocatedJson json) =>
        NetworkText.TryParse(String(json), out _) ? json.Text : throw Wrong(json, "A network such as \"10.0.0.0/8\" (no bits set beyond its length) or an address is expected here.");

    private void Unique(HashSet<string> seen, string name, LocatedJson at, string what)
    {
        if (!seen.Add(name))
            throw Wrong(at, $"Two have the name \"{name}\": each {what} needs its own.");
    }

    private ConsumersFileException Wrong(LocatedJson at, string sentence) => new(_file, at.Line, at.Path, sentence);

    private sealed record Plan(string Name, string[] Products, LedgerLoss OnLoss, RateLimit[] Limits, PlanQuota[] Quotas, ConcurrencyLimit[] Concurrency);

    /// <summary>A quota as the plan has it; the subscription may say when its periods begin, and where.</summary>
    private sealed record PlanQuota(string Name, long Units, QuotaPeriod Period, bool Hard, DateTimeOffset? Anchor, string? TimeZone, bool Shadow)
    {
        public Quota At(DateTimeOffset? subscribed, string? subscribedZone)
        {
            var zone = subscribedZone ?? TimeZone ?? "UTC";
            var anchor = subscribed ?? Anchor
                ?? new DateTimeOffset(DefaultAnchor, TimeZoneInfo.FindSystemTimeZoneById(zone).GetUtcOffset(DefaultAnchor));
            return new Quota(Name, Units, Period, Hard, anchor.ToUnixTimeMilliseconds(), zone, Shadow);
        }
    }
}
