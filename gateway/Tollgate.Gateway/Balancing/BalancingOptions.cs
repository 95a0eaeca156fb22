namespace Tollgate.Gateway.Balancing;

/// <summary>How the hosts of an upstream are chosen and looked after.</summary>
internal sealed record BalancingOptions
{
    public BalancingPolicy Policy { get; init; } = BalancingPolicy.Turns;

    /// <summary>Of <see cref="BalancingPolicy.Hash"/>.</summary>
    public HashRule? Hash { get; init; }

    /// <summary>Of <see cref="BalancingPolicy.Cookie"/>.</summary>
    public AffinityCookie? Cookie { get; init; }

    /// <summary>Of <see cref="BalancingPolicy.Custom"/>.</summary>
    public CustomChooser? Chooser { get; init; }

    public PassiveHealth Passive { get; init; } = new();

    /// <summary>Null = hosts are not asked.</summary>
    public ActiveHealth? Active { get; init; }

    /// <summary>How long the share of a host that came back rises to its full weight; 0 = at once.</summary>
    public long SlowStartMs { get; init; }
}

/// <summary>What a call is hashed by.</summary>
internal enum HashSource : byte
{
    ClientAddress,
    Header,
    Cookie,

    /// <summary>The application that calls, whichever of its keys it shows.</summary>
    Key,
}

/// <param name="Name">Of the header or cookie; empty for the others.</param>
/// <param name="Bound">A host takes at most so many times its fair share of the calls under way; the next host has the rest. 0 = no bound.</param>
internal sealed record HashRule(HashSource Source, string Name, double Bound);

/// <param name="MaxAgeSeconds">0 = until the browser closes.</param>
internal sealed record AffinityCookie(string Name, long MaxAgeSeconds);

/// <summary>When a host is left alone because of how it took calls. One that takes no connection is left alone at once, whatever is written here.</summary>
internal sealed record PassiveHealth
{
    /// <summary>Failures in a row.</summary>
    public int Failures { get; init; } = 5;

    /// <summary>Answers that are failures; empty = only lost connections are.</summary>
    public EquatableStatuses Statuses { get; init; } = EquatableStatuses.None;

    /// <summary>Whether an answer that comes too late is a failure.</summary>
    public bool CountsTimeouts { get; init; }

    /// <summary>Of the first ejection; each further one is twice as long.</summary>
    public long EjectionMs { get; init; } = 1000;

    public long LongestEjectionMs { get; init; } = 60_000;

    /// <summary>Largest share of hosts that is left alone because of answers.</summary>
    public int MaxEjectedPercent { get; init; } = 50;
}

/// <summary>How hosts are asked whether they are well.</summary>
internal sealed record ActiveHealth
{
    public required string Path { get; init; }
    public long IntervalMs { get; init; } = 5000;
    public long TimeoutMs { get; init; } = 2000;

    /// <summary>Good answers in a row that bring a host back.</summary>
    public int Healthy { get; init; } = 1;

    /// <summary>Bad answers in a row that take it out.</summary>
    public int Unhealthy { get; init; } = 2;

    /// <summary>Good answers; empty = 200 to 299.</summary>
    public EquatableStatuses Statuses { get; init; } = EquatableStatuses.None;
}

/// <summary>A set of status codes that compares by its content.</summary>
internal sealed class EquatableStatuses(IEnumerable<int> statuses) : IEquatable<EquatableStatuses>
{
    private readonly int[] _statuses = [.. statuses.Distinct().Order()];

    public static EquatableStatuses None { get; } = new([]);

    public bool IsEmpty => _statuses.Length == 0;

    public bool Contains(int status) => Array.IndexOf(_statuses, status) >= 0;

    public bool Equals(EquatableStatuses? other) => other is not null && _statuses.AsSpan().SequenceEqual(other._statuses);

    public override bool Equals(object? other) => Equals(other as EquatableStatuses);

    public override int GetHashCode() => _statuses.Aggregate(17, HashCode.Combine);

    public override string ToString() => string.Join(',', _statuses);
}
