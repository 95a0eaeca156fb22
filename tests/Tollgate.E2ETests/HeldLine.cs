using Microsoft.Playwright;

namespace Tollgate.E2ETests;

/// <summary>The line of a circuit, on which what the server says can be held back for a while.</summary>
internal sealed class HeldLine
{
    private readonly Lock _gate = new();
    private readonly Queue<Action> _held = [];
    private bool _isHolding;

    public void Connect(IWebSocketRoute page)
    {
        var server = page.ConnectToServer();
        page.OnMessage(frame => Pass(frame, server));
        server.OnMessage(frame =>
        {
            lock (_gate)
            {
                if (_isHolding) _held.Enqueue(() => Pass(frame, page));
                else Pass(frame, page);
            }
        });
    }

    public void Hold()
    {
        lock (_gate) _isHolding = true;
    }

    public void Release()
    {
        lock (_gate)
        {
            _isHolding = false;
            while (_held.TryDequeue(out var send)) send();
        }
    }

    private static void Pass(IWebSocketFrame frame, IWebSocketRoute to)
    {
        if (frame.Binary is { } binary) to.Send(binary);
        else if (frame.Text is { } text) to.Send(text);
    }
}
