using System.Security.Cryptography;
using System.Text;

namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>Takes each proof once: on this node whatever happens, and on all nodes that share a Redis while it answers. A call does not wait for it for long.</summary>
/// <param name="elsewhere">Says whether a name is new to all nodes, and keeps it for so many milliseconds; null = that cannot be told now.</param>
internal sealed class ProofGuard(ProofMemory here, Func<string, long, ValueTask<bool?>>? elsewhere = null)
{
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromMilliseconds(250);
    private static readonly Task<bool> First = Task.FromResult(true);
    private static readonly Task<bool> Known = Task.FromResult(false);

    /// <summary>As of <see cref="ProofMemory.IsFirst"/>. The task never faults.</summary>
    public Task<bool> IsFirst(string of, string jti, long madeSecond, long nowSecond, int longestSeconds)
    {
        if (!here.IsFirst(of, jti, madeSecond, nowSecond, longestSeconds)) return Known;
        return elsewhere is null ? First : AskAsync(elsewhere, $"tg:proof:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{of}\n{jti}")))}", longestSeconds * 1000L);
    }

    private static async Task<bool> AskAsync(Func<string, long, ValueTask<bool?>> elsewhere, string name, long forMs)
    {
        try
        {
            return await elsewhere(name, forMs).AsTask().WaitAsync(AnswerWithin).ConfigureAwait(false) ?? true;
        }
        catch (TimeoutException)
        {
            return true;    // as far as this node knows
        }
    }
}
