using Tollgate.Host;
using Tollgate.Host.Demo;
using Tollgate.ServiceDefaults.Internal;

return args switch
{
    ["gateway-token"] => PrintGatewayToken(),
    ["health", .. var rest] => await HealthCommand.RunAsync(rest),
    ["weather", .. var rest] => await DemoUpstream.RunAloneAsync(rest),
    ["--help"] or ["-h"] or ["help"] => PrintHelp(),
    _ => await TollgateHost.RunAsync(args),
};

static int PrintGatewayToken()
{
    var token = GatewayToken.New();
    Console.WriteLine($"""
        For the gateways:        Gateway__Token={token}
        For the control plane:   ControlPlane__GatewayTokenSha256__0={GatewayToken.Sha256(token)}
        """);
    return 0;
}

static int PrintHelp()
{
    Console.WriteLine("""
        Tollgate.Host [options]          everything in one process, or the roles you name
          --roles gateway,identity,billing,portal
          --config <ocelot.json|folder>  your routes instead of the demo's
          --Data <folder>                where files are kept (default ./.tollgate)
          --Listen:Gateway <url>         where calls arrive (default http://localhost:8080)
          --Listen:Portal <url>          portal, sign-in and management API (default http://localhost:8090)
          --Listen:Internal <url>        health, feeds and ingest (default http://127.0.0.1:8099)
          --ConnectionStrings:Postgres <…>   PostgreSQL instead of SQLite
          --ConnectionStrings:Redis <…>      limits shared between gateways
          --Gateway:ControlPlane <url> --Gateway:Token <tgw_…>   for a gateway that runs apart from the control plane
        Tollgate.Host gateway-token      makes a gateway token and its digest
        Tollgate.Host health [url]       asks a process whether it is ready: exit code 0 = yes
        Tollgate.Host weather --urls <url>   the demo product's upstream alone
        Every option in a section is also an environment variable, with __ for the colon (ConnectionStrings__Redis);
        the others with a prefix (TOLLGATE_ROLES). All of them: docs/configuration.md
        """);
    return 0;
}
