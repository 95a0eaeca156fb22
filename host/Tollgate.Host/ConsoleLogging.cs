using Microsoft.Extensions.Logging.Console;

namespace Tollgate.Host;

internal static class ConsoleLogging
{
    /// <summary>One line an event, ours from Information on, the frameworks' from Warning on; <c>Logging:LogLevel:*</c> says otherwise.</summary>
    public static ILoggingBuilder UseTollgateConsole(this ILoggingBuilder logging)
    {
        logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss.fff ";
            console.UseUtcTimestamp = true;
            console.ColorBehavior = LoggerColorBehavior.Default;
        });
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
        logging.AddFilter("System", LogLevel.Warning);
        logging.AddFilter("Yarp", LogLevel.Error);
        return logging;
    }
}
