using Microsoft.AspNetCore.Http;
using Tollgate.Gateway.Plugins;
using Tollgate.Gateway.Policy;
using Yarp.ReverseProxy.Forwarder;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>Why a try came to nothing.</summary>
internal enum Loss : byte
{
    /// <summary>The host took no connection: nothing was sent.</summary>
    NoConnection,

    /// <summary>It took one, and no secrets could be agreed on: nothing was sent.</summary>
    NoSecrets,

    /// <summary>The connection was lost before the answer's head.</summary>
    Broken,

    /// <summary>The try took too long.</summary>
    Timeout,

    /// <summary>An answer after which another host is tried.</summary>
    Answer,

    /// <summary>The caller's own: it went away, or sent what cannot be sent on.</summary>
    Caller,

    /// <summary>A plug-in's: no host can help.</summary>
    Plugin,
}

/// <summary>Reads what a try that came to nothing has left behind: whose fault it was, and what its caller is told.</summary>
internal static class LostTry
{
    public static Loss LossOf(ForwarderError error, Exception? failure, bool callerIsGone, bool isLate)
    {
        if (callerIsGone || error is ForwarderError.RequestBodyClient || In<BadHttpRequestException>(failure) is not null || In<UnsendableHeaderException>(failure) is not null) return Loss.Caller;
        if (In<PluginException>(failure) is not null) return Loss.Plugin;
        if (isLate || error is ForwarderError.RequestTimedOut) return Loss.Timeout;
        return In<HttpRequestException>(failure) switch
        {
            { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError } => Loss.NoConnection,
            { HttpRequestError: HttpRequestError.SecureConnectionError } => Loss.NoSecrets,
            _ => Loss.Broken,
        };
    }

    public static Refusal RefusalOf(ForwarderError error, Exception? failure, bool isLate)
    {
        if (In<BadHttpRequestException>(failure) is { } bad) return Refusals.ReasonOf(bad.StatusCode);
        if (error is ForwarderError.RequestBodyClient || In<UnsendableHeaderException>(failure) is not null) return Refusal.BadRequest;
        return isLate || error is ForwarderError.RequestTimedOut ? Refusal.UpstreamTimeout : Refusal.UpstreamUnreachable;
    }

    /// <summary>The first of a kind among a failure and what caused it.</summary>
    public static T? In<T>(Exception? failure) where T : Exception
    {
        for (var at = failure; at is not null; at = at.InnerException)
        {
            if (at is T wanted) return wanted;
            if (at is AggregateException several)
                foreach (var inner in several.InnerExceptions)
                    if (In<T>(inner) is { } found)
                        return found;
        }

        return null;
    }
}
