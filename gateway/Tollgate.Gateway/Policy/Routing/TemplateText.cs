namespace Tollgate.Gateway.Policy.Routing;

/// <summary>A piece of a template: literal text, or a placeholder by name.</summary>
internal readonly record struct TemplatePiece(string Text, bool IsPlaceholder);

/// <summary>The grammar of templates: text with <c>{placeholders}</c>.</summary>
internal static class TemplateText
{
    public static bool BracesMatch(string template)
    {
        var open = -1;
        for (var i = 0; i < template.Length; i++)
        {
            if (template[i] == '{')
            {
                if (open >= 0) return false;
                open = i;
            }
            else if (template[i] == '}')
            {
                if (open < 0 || i == open + 1) return false;
                open = -1;
            }
        }

        return open < 0;
    }

    /// <summary>The names in order, repeated ones too.</summary>
    public static IEnumerable<string> Placeholders(string template) => Split(template).Where(piece => piece.IsPlaceholder).Select(piece => piece.Text);

    /// <summary>The names of the parameters that a template writes after its question mark.</summary>
    public static IEnumerable<string> QueryNames(string template) => template.IndexOf('?') is >= 0 and var question
        ? template[(question + 1)..].Split('&').Select(parameter => parameter.Split('=')[0])
        : [];

    public static List<TemplatePiece> Split(ReadOnlySpan<char> template)
    {
        var pieces = new List<TemplatePiece>();
        while (template.Length > 0)
        {
            var open = template.IndexOf('{');
            var close = open < 0 ? -1 : template[open..].IndexOf('}');
            if (close < 0)
            {
                pieces.Add(new(template.ToString(), false));
                break;
            }

            if (open > 0) pieces.Add(new(template[..open].ToString(), false));
            pieces.Add(new(template.Slice(open + 1, close - 1).ToString(), true));
            template = template[(open + close + 1)..];
        }

        return pieces;
    }
}
