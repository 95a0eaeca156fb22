using System.Text;

namespace Tollgate.Gateway.Policy.Transforms;

/// <summary>Puts parameters into the query of an address, in place of those that it has by the same names.</summary>
internal static class QueryAdditions
{
    /// <param name="values">Null = none: parameters of these names are taken out.</param>
    public static string Apply(string address, ClaimInstruction[] parameters, string[]? values)
    {
        var question = address.IndexOf('?');
        var result = new StringBuilder(question < 0 ? address : address[..question]);
        var separator = '?';
        if (question >= 0)
        {
            foreach (var parameter in address[(question + 1)..].Split('&'))
            {
                var name = Uri.UnescapeDataString(parameter.Split('=')[0].Replace('+', ' '));
                if (Array.Exists(parameters, added => added.Target.Equals(name, StringComparison.OrdinalIgnoreCase))) continue;
                result.Append(separator).Append(parameter);
                separator = '&';
            }
        }

        for (var i = 0; i < parameters.Length && values is not null; i++)
        {
            result.Append(separator).Append(Uri.EscapeDataString(parameters[i].Target)).Append('=').Append(Uri.EscapeDataString(values[i]));
            separator = '&';
        }

        return result.ToString();
    }
}
