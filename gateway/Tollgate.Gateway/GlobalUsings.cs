// The framework has a Route of its own among the implicit usings; here a route is always ours.
global using Route = Tollgate.Gateway.Policy.Routing.Route;
