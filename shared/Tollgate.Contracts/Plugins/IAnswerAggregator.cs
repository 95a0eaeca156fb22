namespace Tollgate.Contracts.Plugins;

/// <summary>Makes one answer of those of an aggregate's members.</summary>
public interface IAnswerAggregator
{
    /// <param name="parts">In the order of <c>RouteKeys</c>; a member that was called several times stands there as often.</param>
    ValueTask<AggregatedAnswer> AggregateAsync(IReadOnlyList<AnswerPart> parts, CancellationToken cancel);
}

/// <summary>What one member of an aggregate answered.</summary>
/// <param name="Key">Of its route.</param>
/// <param name="Headers">A header with several lines stands there as often.</param>
/// <param name="Body">Decoded: without <c>Content-Encoding</c>.</param>
public sealed record AnswerPart(string Key, int Status, IReadOnlyList<KeyValuePair<string, string>> Headers, byte[] Body);

/// <summary>What the caller of an aggregate gets.</summary>
public sealed record AggregatedAnswer(int Status, byte[] Body, string ContentType = "application/json")
{
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];
}
