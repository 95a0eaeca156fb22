using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Tollgate.Contracts;
using Tollgate.Gateway.Policy;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>
/// Says in a problem document why a message was refused before it became a call: not HTTP, too large, too slow. The server tells of these through
/// its diagnostic source alone. Over HTTP/2 it answers for itself: there a connection is shared with other calls, and speaks in frames.
/// </summary>
internal sealed class MalformedMessages(TimeProvider time) : IObserver<KeyValuePair<string, object?>>
{
    private const string Event = "Microsoft.AspNetCore.Server.Kestrel.BadRequest";

    public static IDisposable Answer(DiagnosticListener server, TimeProvider time) => server.Subscribe(new MalformedMessages(time), name => name == Event);

    public void OnNext(KeyValuePair<string, object?> told)
    {
        if (told.Value is not IFeatureCollection message || message.Get<CallerConnection>()?.Output is not { } output) return;
        if (message.Get<IHttpRequestFeature>()?.Protocol is { } protocol && (HttpProtocol.IsHttp2(protocol) || HttpProtocol.IsHttp3(protocol))) return;
        if (message.Get<IHttpResponseFeature>() is not { HasStarted: false } || message.Get<IBadRequestExceptionFeature>()?.Error is not BadHttpRequestException error) return;

        output.Mute(Answer(Refusals.OfStatus(error.StatusCode), message.Get<IHttpRequestFeature>()?.Method == HttpMethods.Head));
    }

    public void OnCompleted()
    {
    }

    public void OnError(Exception error)
    {
    }

    private byte[] Answer(RefusalFace face, bool headOnly)
    {
        var now = time.GetUtcNow();
        var id = RequestId.Choose(null, now.ToUnixTimeMilliseconds(), out _);
        var body = $"{Encoding.UTF8.GetString(face.Beginning)}\",\"requestId\":\"{id}\"}}";
        return Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {face.Status} {face.Title}\r\nContent-Type: {Problem.MediaType}\r\nContent-Length: {body.Length}\r\nConnection: close\r\nDate: {now:r}\r\nX-Request-Id: {id}\r\n\r\n{(headOnly ? "" : body)}"));
    }
}
