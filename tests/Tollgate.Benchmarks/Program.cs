if (args is ["feeds", .. var sizes]) return await Tollgate.Benchmarks.Feeds.FeedScale.RunAsync(sizes);
BenchmarkDotNet.Running.BenchmarkSwitcher.FromAssembly(System.Reflection.Assembly.GetExecutingAssembly()).Run(args);
return 0;
