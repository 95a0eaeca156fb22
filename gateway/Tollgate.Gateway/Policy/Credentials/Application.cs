using Tollgate.Contracts;

namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>The application behind a credential. What is known of it is swapped whole, so that a suspension is seen by all of its credentials at once.</summary>
internal sealed class Application
{
    private Facts? _facts;

    public required AppId Id { get; init; }

    /// <summary>As its owner named it, or as the consumers file does.</summary>
    public string Name
    {
        get => Volatile.Read(ref _facts)?.Name ?? "";
        init => _facts = new Facts(value, Organisation, Refusal);
    }

    public string Organisation
    {
        get => Volatile.Read(ref _facts)?.Organisation ?? "";
        init => _facts = new Facts(Name, value, Refusal);
    }

    /// <summary>Why its calls are refused, whatever they show: it or its organisation is suspended.</summary>
    public Refusal Refusal => Volatile.Read(ref _facts)?.Refusal ?? Refusal.None;

    /// <summary>False while only its credentials have been heard of, and once it has been removed: they then authenticate nobody.</summary>
    internal bool IsKnown => Volatile.Read(ref _facts) is not null;

    internal void Become(string name, string organisation, Refusal refusal) =>
        Volatile.Write(ref _facts, new Facts(name, organisation, refusal));

    internal void Forget() => Volatile.Write(ref _facts, null);

    private sealed record Facts(string Name, string Organisation, Refusal Refusal);
}
