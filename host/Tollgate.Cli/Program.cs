using System.CommandLine;
using Tollgate.Cli;

var root = new RootCommand("Tollgate's command line: looks at configurations, and manages a control plane through its API.")
{
    CheckCommand.Create(),
    RoutesCommand.Create(),
    GatewaysCommand.Create(),
    AccountCommands.Login(),
    AccountCommands.Logout(),
    AccountCommands.WhoAmI(),
    ExplainCommand.Create(),
};
return await root.Parse(args).InvokeAsync();
