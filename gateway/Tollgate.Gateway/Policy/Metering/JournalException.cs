namespace Tollgate.Gateway.Policy.Metering;

/// <summary>The journal cannot be opened as it is; the message says what to do.</summary>
internal sealed class JournalException(string message, Exception? inner = null) : IOException(message, inner);
