using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text;
using Tollgate.Contracts.Usage;
using Tollgate.Gateway.Policy.Credentials;
using Tollgate.Gateway.Policy.Metering;
using Tollgate.Gateway.Policy.Plans;
using Tollgate.Gateway.Policy.Routing;

namespace Tollgate.Gateway.Policy;

/// <summary>Who calls what under which plan, as the journal counts it and the upstream is told.</summary>
internal sealed class Consumer(string name, string organisation)
{
    /// <summary>Of the journal; 0 without one.</summary>
    public required int Account { get; init; }

    public required string ApplicationId { get; init; }
    public required string Application { get; init; }
    public required string Organisation { get; init; }
    public required string Plan { get; init; }

    /// <summary>Calls with a key for trying things out.</summary>
    public required bool IsTest { get; init; }

    /// <summary>What the signed word on this consumer says, once it has been asked for.</summary>
    public required ConsumerParts Parts { get; init; }

    /// <summary>The signed word that is given out at present.</summary>
    public Consumers.ConsumerWord? Word { get; set; }

    /// <summary>Whether the application is still called as it was.</summary>
    public bool IsOf(Application application) => ReferenceEquals(name, application.Name) && ReferenceEquals(organisation, application.Organisation);
}

/// <summary>Whom the word is about.</summary>
internal sealed record ConsumerParts(Credential Credential, Entitlement Entitlement);

/// <summary>
/// Remembers the <see cref="Consumer"/> of a credential, entitlement and route, so that a call costs one look-up and makes no text. Credentials and
/// entitlements are replaced on change, so their identity is the key; of an application the names are compared.
/// </summary>
internal sealed class ConsumerTable(Journal? journal, int capacity = 262_144)
{
    private ConcurrentDictionary<Key, Consumer> _known = new();
    private int _count;

    public Consumer Of(Credential credential, Entitlement entitlement, Route route)
    {
        var key = new Key(credential, entitlement, route);
        return _known.TryGetValue(key, out var consumer) && consumer.IsOf(credential.Application) ? consumer : Add(key);
    }

    private Consumer Add(Key key)
    {
        var (credential, entitlement, route) = key;
        var application = credential.Application;
        var account = journal?.AccountOf(new JournalAccount(
            entitlement.Subscription, application.Id, application.Name, credential.Id, entitlement.Product, route.Name, entitlement.IsForTests ? Meters.Test : Meters.Requests)) ?? 0;
        var consumer = new Consumer(application.Name, application.Organisation)
        {
            Account = account,
            ApplicationId = application.Id.ToString(),
            Application = HeaderText(application.Name),
            Organisation = HeaderText(application.Organisation),
            Plan = HeaderText(entitlement.Item.Plan),
            IsTest = credential.Test,
            Parts = new ConsumerParts(credential, entitlement),
        };

        if (journal is not null && account == 0) return consumer;    // the disk took no new account: asked again next time

        // Credentials that changed leave their old keys behind; starting over now and then bounds them.
        if (Interlocked.Increment(ref _count) > capacity)
        {
            _known = new();
            _count = 1;
        }

        _known[key] = consumer;
        return consumer;
    }

    // Names are people's free text; a header is not (RFC 9110 §5.5).
    private static string HeaderText(string text) =>
        Ascii.IsValid(text) && text.AsSpan().IndexOfAnyInRange('\0', '\x1f') < 0 && !text.Contains('\x7f') ? text : Uri.EscapeDataString(text);

    private readonly record struct Key(Credential Credential, Entitlement Entitlement, Route Route)
    {
        public bool Equals(Key other) =>
            ReferenceEquals(Credential, other.Credential) && ReferenceEquals(Entitlement, other.Entitlement) && ReferenceEquals(Route, other.Route);

        public override int GetHashCode() =>
            HashCode.Combine(RuntimeHelpers.GetHashCode(Credential), RuntimeHelpers.GetHashCode(Entitlement), RuntimeHelpers.GetHashCode(Route));
    }
}
