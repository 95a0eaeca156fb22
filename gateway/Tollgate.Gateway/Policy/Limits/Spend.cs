namespace Tollgate.Gateway.Policy.Limits;

/// <summary>What became of an attempt to spend.</summary>
internal enum Spend : byte
{
    Granted,
    Refused,
    Pending,
    Away,
}
