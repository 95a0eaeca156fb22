namespace Tollgate.Gateway.Policy.Transforms;

/// <summary>What a placeholder of a header's value stands for.</summary>
internal enum HeaderTextPart : byte
{
    Text,
    RemoteAddress,
    UpstreamHost,
    TraceId,
}

/// <summary>Facts of a call that header values may name.</summary>
internal readonly record struct HeaderFacts(string RemoteAddress, string Host, string RequestId);

/// <summary>The text of a header's value, with the placeholders that Ocelot knows.</summary>
internal sealed class HeaderText
{
    private readonly (HeaderTextPart Part, string Text)[] _parts;

    private HeaderText((HeaderTextPart, string)[] parts) => _parts = parts;

    /// <summary>Null when the text names what is not known.</summary>
    /// <param name="baseUrl">For <c>{BaseUrl}</c>.</param>
    public static HeaderText? Compile(string text, string baseUrl)
    {
        var parts = new List<(HeaderTextPart, string)>();
        var pieces = Routing.TemplateText.Split(text);
        foreach (var piece in pieces)
        {
            if (!piece.IsPlaceholder)
            {
                parts.Add((HeaderTextPart.Text, piece.Text));
                continue;
            }

            switch (piece.Text.ToLowerInvariant())
            {
                case "baseurl": parts.Add((HeaderTextPart.Text, baseUrl)); break;
                case "remoteipaddress": parts.Add((HeaderTextPart.RemoteAddress, "")); break;
                case "upstreamhost": parts.Add((HeaderTextPart.UpstreamHost, "")); break;
                case "traceid": parts.Add((HeaderTextPart.TraceId, "")); break;
                case var _ when pieces.Count == 1: return null;
                default: parts.Add((HeaderTextPart.Text, $"{{{piece.Text}}}")); break;
            }
        }

        return new HeaderText([.. parts]);
    }

    public string Fill(in HeaderFacts facts)
    {
        if (_parts.Length == 1) return ValueOf(_parts[0], in facts);
        var text = "";
        foreach (var part in _parts) text += ValueOf(part, in facts);
        return text;
    }

    private static string ValueOf((HeaderTextPart Part, string Text) part, in HeaderFacts facts) => part.Part switch
    {
        HeaderTextPart.RemoteAddress => facts.RemoteAddress,
        HeaderTextPart.UpstreamHost => facts.Host,
        HeaderTextPart.TraceId => facts.RequestId,
        _ => part.Text,
    };
}
