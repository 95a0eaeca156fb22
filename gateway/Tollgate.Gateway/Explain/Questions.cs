using System.Net.Http.Json;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Feeds;

namespace Tollgate.Gateway.Explain;

/// <summary>Stands before the table of credentials in its feed, takes the questions out, and answers them to the control plane.</summary>
internal sealed partial class Questions(IFeedTarget credentials, HttpClient http, TimeProvider time, ILogger<Questions> logger) : IFeedTarget
{
    private const int MostAtOnce = 8;
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(5);

    private int _answering;

    /// <summary>Who knows the answers; null until the gateway is whole.</summary>
    public Explainer? Explainer { get; set; }

    public IFeedChanges Begin(bool snapshot) => new Changes(this, credentials.Begin(snapshot));

    private void Hear(QuestionItem question)
    {
        if (Explainer is not { } explainer || question.ExpiresUnixMs < time.GetUtcNow().ToUnixTimeMilliseconds()) return;
        if (Interlocked.Increment(ref _answering) > MostAtOnce)
        {
            Interlocked.Decrement(ref _answering);
            return;    // whoever asks so much waits in vain
        }

        _ = Task.Run(async () =>
        {
            try
            {
                if (explainer.Answer(question) is not { } answer) return;
                using var limited = new CancellationTokenSource(AnswerWithin);
                using var taken = await http.PostAsJsonAsync(InternalPaths.Explanations, answer, ContractJson.Default.ExplainAnswer, limited.Token);
                taken.EnsureSuccessStatusCode();
            }
            catch (Exception failed) when (failed is HttpRequestException or OperationCanceledException or ObjectDisposedException)
            {
                Log.NotAnswered(logger, failed.Message);
            }
            finally
            {
                Interlocked.Decrement(ref _answering);
            }
        });
    }

    private sealed class Changes(Questions questions, IFeedChanges credentials) : IFeedChanges
    {
        private readonly List<QuestionItem> _asked = [];

        public void Add(FeedItem item)
        {
            if (item is QuestionItem question) _asked.Add(question);
            else credentials.Add(item);
        }

        public void Commit()
        {
            credentials.Commit();
            foreach (var question in _asked) questions.Hear(question);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2391, LogLevel.Warning, "The control plane could not be answered what it asked ({Reason})")]
        public static partial void NotAnswered(ILogger logger, string reason);
    }
}
