using BenchmarkDotNet.Attributes;
using Tollgate.Contracts;
using Tollgate.Gateway.Policy.Metering;

namespace Tollgate.Benchmarks;

/// <summary>What metering costs a call: the account looked up, the record written, its end added. Compare with nothing at all.</summary>
[MemoryDiagnoser]
public class JournalBenchmark
{
    private const int Calls = 200_000;
    private readonly JournalAccount _account = new(
        SubscriptionId.New(), AppId.New(), "app", Guid.NewGuid().ToString(), "weather", "/weather/{city}/forecast", "requests");

    private string _data = "";
    private Journal _journal = null!;
    private int _number;

    [IterationSetup]
    public void Open()
    {
        _data = Directory.CreateTempSubdirectory("tollgate-benchmark-").FullName;
        _journal = Journal.Open(new JournalOptions { DataFolder = _data });
        _number = _journal.AccountOf(_account);
    }

    [IterationCleanup]
    public void Close()
    {
        _journal.Dispose();
        Directory.Delete(_data, recursive: true);
    }

    [Benchmark(OperationsPerInvoke = Calls)]
    public int Look_up_an_account()
    {
        var sum = 0;
        for (var i = 0; i < Calls; i++) sum += _journal.AccountOf(_account);
        return sum;
    }

    [Benchmark(OperationsPerInvoke = Calls)]
    public void Record_a_call()
    {
        for (var i = 0; i < Calls; i++) _journal.Record(_number, 200, 1_700_000_000_000, 1, (UInt128)(ulong)i);
    }

    [Benchmark(OperationsPerInvoke = Calls)]
    public void Look_up_record_and_complete()
    {
        for (var i = 0; i < Calls; i++)
            _journal.Complete(_journal.Record(_journal.AccountOf(_account), 200, 1_700_000_000_000, 1, (UInt128)(ulong)i), 512, 900);
    }
}
