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
        init => _facts = new Facts(value, Organisation, Suspended);
    }

    public string Organisation
    {
        get => Volatile.Read(ref _facts)?.Organisation ?? "";
        init => _facts = new Facts(Name, value, Suspended);
    }

    public bool Suspended
    {
        get => Volatile.Read(ref _facts)?.Suspended ?? false;
        init => _facts = new Facts(Name, Organisation, value);
    }

    /// <summary>False while only its credentials have been heard of, and once it has been removed: they then authenticate nobody.</summary>
    internal bool IsKnown => Volatile.Read(ref _facts) is not null;

    internal void Become(string name, string organisation, bool suspended) =>
        Volatile.Write(ref _facts, new Facts(name, organisation, suspended));

    internal void Forget() => Volatile.Write(ref _facts, null);

    private sealed record Facts(string Name, string Organisation, bool Suspended);
}
