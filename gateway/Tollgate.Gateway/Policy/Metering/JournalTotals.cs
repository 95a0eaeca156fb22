namespace Tollgate.Gateway.Policy.Metering;

/// <summary>Units by account over the whole records of a segment, and when its calls arrived.</summary>
internal sealed class JournalTotals
{
    private readonly Dictionary<int, long> _unitsByAccount = [];

    public long FirstUnixMs { get; private set; } = long.MaxValue;
    public long LastUnixMs { get; private set; } = long.MinValue;
    public IReadOnlyCollection<int> Accounts => _unitsByAccount.Keys;

    public void Add(in JournalRecord record)
    {
        FirstUnixMs = Math.Min(FirstUnixMs, record.ArrivedUnixMs);
        LastUnixMs = Math.Max(LastUnixMs, record.ArrivedUnixMs);
        _unitsByAccount[record.Account] = _unitsByAccount.GetValueOrDefault(record.Account) + record.Units;
    }

    public long UnitsOf(IReadOnlySet<int> accounts)
    {
        var units = 0L;
        foreach (var account in accounts) units += _unitsByAccount.GetValueOrDefault(account);
        return units;
    }
}
