using Tollgate.Contracts.Usage;

namespace Tollgate.Billing.Metering;

/// <summary>What a batch must be like to be counted at all. Names the member that is wrong.</summary>
internal static class BatchRules
{
    private const int MostRows = 100_000;
    private const long MostCalls = 1_000_000_000_000;
    private const long LastMoment = 253_402_300_799_999;   // the end of the year 9999
    private const int MostErrors = 10;

    public static Dictionary<string, string> Check(UsageBatch batch)
    {
        var errors = new Dictionary<string, string>();
        if (batch.NodeId is null or "" || batch.NodeId.Length > UsageText.Node) errors["nodeId"] = $"nodeId is the node's name, 1 to {UsageText.Node} characters.";
        if (batch.JournalEpoch is null or "" || batch.JournalEpoch.Length > UsageText.Node) errors["journalEpoch"] = $"journalEpoch names the journal, 1 to {UsageText.Node} characters.";
        if (batch.Sequence < 1) errors["sequence"] = "sequence is a number from 1 on.";
        if (!IsHash(batch.PreviousHash)) errors["previousHash"] = "previousHash is 64 hex digits; zeros for the first batch.";
        if (!IsHash(batch.Hash)) errors["hash"] = "hash is 64 hex digits.";
        if (batch.Rows is null) errors["rows"] = "rows is a list.";
        else if (batch.Rows.Count > MostRows) errors["rows"] = $"rows holds at most {MostRows} rows; send smaller batches.";
        else CheckRows(errors, batch.Rows);
        return errors;
    }

    private static void CheckRows(Dictionary<string, string> errors, IReadOnlyList<UsageRow> rows)
    {
        for (var i = 0; i < rows.Count && errors.Count < MostErrors; i++)
        {
            if (RowError(rows[i]) is not var (member, sentence)) continue;
            var path = member.Length == 0 ? $"rows[{i}]" : $"rows[{i}].{member}";
            errors[path] = $"{path} {sentence}";
        }
    }

    private static (string Member, string Sentence)? RowError(UsageRow? row) => row switch
    {
        null => ("", "is null."),
        { Subscription.Value: var id } when id == Guid.Empty => ("subscription", "is the subscription's id."),
        { Credential: null } => ("credential", "is the API key's id, or client: and the client's."),
        { Product: null } => ("product", "is the product's name."),
        { Route: null } => ("route", "is the route's name."),
        { Meter: null or "" } => ("meter", "is the meter's name, such as requests."),
        { MinuteUnixMs: < 0 or > LastMoment } => ("minuteUnixMs", "is a moment in milliseconds since 1970."),
        { Calls: < 0 or > MostCalls } => ("calls", "is a number from 0 to 1,000,000,000,000."),
        { Units: < 0 or > MostCalls } => ("units", "is a number from 0 to 1,000,000,000,000."),
        _ => null,
    };

    private static bool IsHash(string? text) => text is { Length: 64 } && text.All(char.IsAsciiHexDigit);
}
