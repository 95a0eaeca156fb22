using System.Text;

namespace Tollgate.Gateway.Listening;

/// <summary>How bytes of headers are read and written, where the server's own way will not do.</summary>
internal static class HeaderEncodings
{
    /// <summary>The server's question which encoding a header of a request has; null = its own.</summary>
    public static Encoding? OfRequest(string header) => header.Length switch
    {
        10 when header.Equals("Connection", StringComparison.OrdinalIgnoreCase) => ConnectionHeaderEncoding.Instance,
        14 when header.Equals("Content-Length", StringComparison.OrdinalIgnoreCase) => LengthEncoding.Instance,
        _ => null,
    };

    /// <summary>
    /// The same of an answer. Bytes of a service beyond ASCII, such as those in the name of a file (RFC 9110 §5.5), were read as Latin-1 and leave as they came.
    /// </summary>
    public static Encoding OfAnswer(string header) => Encoding.Latin1;
}
