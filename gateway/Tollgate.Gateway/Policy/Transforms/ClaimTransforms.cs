using Tollgate.Gateway.Policy.Credentials;

namespace Tollgate.Gateway.Policy.Transforms;

/// <summary>Where a route sends what a token says: into further claims, headers, the query and the path.</summary>
internal sealed class ClaimTransforms
{
    private static readonly System.Buffers.SearchValues<char> Dangerous = System.Buffers.SearchValues.Create("\r\n\0");

    public ClaimInstruction[] ToClaims { get; init; } = [];
    public ClaimInstruction[] ToHeaders { get; init; } = [];
    public ClaimInstruction[] ToQuery { get; init; } = [];

    /// <summary>With the place of the placeholder that each fills.</summary>
    public (ClaimInstruction Instruction, int Placeholder)[] ToPath { get; init; } = [];

    /// <summary>How many placeholders the route has.</summary>
    public int Placeholders { get; init; }

    /// <summary>The claims of a token with those that the route adds, which replace any of the same name. False when one cannot be made.</summary>
    public bool TryExtend(ref ClaimSet claims)
    {
        foreach (var instruction in ToClaims)
        {
            if (!instruction.TryRead(in claims, out var value)) return false;
            var kept = new List<KeyValuePair<string, string>>();
            foreach (var claim in claims.All)
                if (claim.Key != instruction.Target)
                    kept.Add(claim);
            kept.Add(new(instruction.Target, value));
            claims = new ClaimSet([.. kept]);
        }

        return true;
    }

    /// <summary>Writes what headers, query and path get. False when the token lacks one of them.</summary>
    public bool TryApply(in ClaimSet claims, ref Admission admission)
    {
        if (!TryReadAll(ToHeaders, in claims, out admission.ClaimHeaders) || !TryReadAll(ToQuery, in claims, out admission.ClaimQuery)) return false;
        if (admission.ClaimHeaders is { } headers)
            foreach (var value in headers)
                if (value.AsSpan().IndexOfAny(Dangerous) >= 0)
                    return false;

        foreach (var (instruction, placeholder) in ToPath)
        {
            // Dots alone would climb in the path that they are put into.
            if (!instruction.TryRead(in claims, out var value) || value.AsSpan().IndexOfAnyExcept('.') < 0) return false;
            (admission.Fillings ??= new string?[Placeholders])[placeholder] = value;
        }

        return true;
    }

    private static bool TryReadAll(ClaimInstruction[] instructions, in ClaimSet claims, out string[]? values)
    {
        values = null;
        if (instructions.Length == 0) return true;
        values = new string[instructions.Length];
        for (var i = 0; i < instructions.Length; i++)
        {
            if (!instructions[i].TryRead(in claims, out var value)) return false;
            values[i] = value;
        }

        return true;
    }
}
