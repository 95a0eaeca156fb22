using System.Security.Cryptography;
using System.Text;

namespace Tollgate.ServiceDefaults.Redis;

/// <summary>A Lua script and the digest by which the server knows it once it has seen it.</summary>
public sealed class RedisScript(string lua)
{
    public string Lua { get; } = lua;

    public byte[] Sha1 { get; } = SHA1.HashData(Encoding.UTF8.GetBytes(lua));
}
