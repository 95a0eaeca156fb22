namespace Tollgate.ServiceDefaults.Redis;

/// <summary>No answer from Redis in the time allowed. Whether the command was carried out is not known.</summary>
public sealed class RedisUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
