using Microsoft.Extensions.Options;

namespace Tollgate.Identity.OAuth.Clients;

/// <summary>Calls this server makes to addresses that clients named: bounded in time and size, led on to nowhere else, and for customers into the public internet alone.</summary>
internal sealed class ClientCalls(IOptions<TollgateIdentityOptions> options) : IDisposable
{
    public const int MostAnswerBytes = 64 * 1024;

    /// <summary>Longer than this no call takes.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly HttpClient _anywhere = Caller(null), _outside = Caller(PublicNetwork.ConnectAsync);

    public HttpClient To(OAuthClient client) => options.Value.CallsAnywhere || client.IsOfTheOperator ? _anywhere : _outside;

    public void Dispose()
    {
        _anywhere.Dispose();
        _outside.Dispose();
    }

    private static HttpClient Caller(Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>>? connect)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false, ConnectTimeout = TimeSpan.FromSeconds(3) };
        if (connect is not null) handler.ConnectCallback = connect;
        return new HttpClient(handler) { Timeout = Patience, MaxResponseContentBufferSize = MostAnswerBytes };
    }
}
