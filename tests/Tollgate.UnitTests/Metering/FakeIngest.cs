using System.Net;
using System.Text;
using System.Text.Json;
using Tollgate.Contracts;
using Tollgate.Contracts.Usage;

namespace Tollgate.UnitTests.Metering;

/// <summary>A control plane's ingest as the contract has it: what arrives twice is counted once.</summary>
internal sealed class FakeIngest : HttpMessageHandler
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Node, string Epoch, long Sequence), string> _bodies = [];

    /// <summary>What happens to the next posts; counts or not, and says what.</summary>
    public Answer Mode { get; set; } = Answer.Ok;

    public List<UsageBatch> Batches { get; } = [];
    public int Posts { get; private set; }
    public List<string> Mismatches { get; } = [];
    public string? Authorization { get; private set; }
    public Uri? Target { get; private set; }

    public long Calls
    {
        get { lock (_gate) return Batches.Sum(batch => batch.Rows.Sum(row => row.Calls)); }
    }

    public long Units
    {
        get { lock (_gate) return Batches.Sum(batch => batch.Rows.Sum(row => row.Units)); }
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        var body = await request.Content!.ReadAsByteArrayAsync(cancel);
        lock (_gate)
        {
            Posts++;
            Authorization = request.Headers.Authorization?.ToString();
            Target = request.RequestUri;
            if (Mode == Answer.Down) throw new HttpRequestException("Connection refused");
            if (Mode is not Answer.Ok and not Answer.CountAndLoseTheAnswer) return new HttpResponseMessage((HttpStatusCode)Mode);
            var batch = JsonSerializer.Deserialize(body, ContractJson.Default.UsageBatch)!;
            var key = (batch.NodeId, batch.JournalEpoch, batch.Sequence);
            var text = Encoding.UTF8.GetString(body);
            var duplicate = !_bodies.TryAdd(key, text);
            if (duplicate && _bodies[key] != text) Mismatches.Add($"batch {batch.Sequence} came again with other bytes");
            if (!duplicate) Batches.Add(batch);
            if (Mode == Answer.CountAndLoseTheAnswer) throw new HttpRequestException("The connection was reset");
            return new HttpResponseMessage(HttpStatusCode.OK)
            {
                Content = new StringContent(JsonSerializer.Serialize(new UsageReceipt(duplicate), ContractJson.Default.UsageReceipt)),
            };
        }
    }

    public enum Answer
    {
        Ok = 200,
        Down = 0,
        CountAndLoseTheAnswer = 1,
        Unauthorized = 401,
        Unprocessable = 422,
        ServerError = 500,
    }
}
