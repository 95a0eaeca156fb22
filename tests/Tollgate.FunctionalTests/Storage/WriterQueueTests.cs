using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Storage;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Storage;

/// <summary>Who writes to a SQLite file waits in line. The driver works synchronously: what has not been completed when a call returns is waiting there.</summary>
public sealed class WriterQueueTests : IAsyncLifetime, IDisposable
{
    private readonly TempFolder _folder = new();
    private ServiceProvider _services = null!;

    public async Task InitializeAsync()
    {
        var services = new ServiceCollection();
        services.AddTollgateDatabase<NotesDb, SqliteNotesDb, PostgresNotesDb>(
            new ConfigurationBuilder().AddInMemoryCollection([new("Data", _folder.Path)]).Build(), "notes");
        _services = services.BuildServiceProvider();
        await using var db = Open();
        await db.Database.EnsureCreatedAsync();
    }

    [Fact]
    public async Task Writers_take_their_turns_in_the_order_in_which_they_came()
    {
        await using var holder = Open();
        var held = await holder.Database.BeginTransactionAsync();
        holder.Add(new Note { Text = "0" });
        await holder.SaveChangesAsync();

        var writers = Enumerable.Range(1, 12).Select(WriteAsync).ToList();
        writers.ShouldAllBe(writer => !writer.IsCompleted);
        await using (var reader = Open()) (await reader.Notes.CountAsync()).ShouldBe(0);   // who reads waits for nobody
        await held.CommitAsync();
        await Task.WhenAll(writers).WaitAsync(Deadline.Default);

        await using var db = Open();
        (await db.Notes.OrderBy(note => note.Id).Select(note => note.Text).ToListAsync()).ShouldBe(Enumerable.Range(0, 13).Select(i => i.ToString()));
        (await db.Notes.OrderBy(note => note.Id).Select(note => note.Touched).ToListAsync()).ShouldBe(Enumerable.Range(0, 13).Select(i => i % 3 == 2));

        // Each third in a transaction, each third by saving alone, each third also by a statement that has no transaction.
        async Task WriteAsync(int i)
        {
            await using var db = Open();
            await using var transaction = i % 3 == 0 ? await db.Database.BeginTransactionAsync() : null;
            db.Add(new Note { Text = i.ToString() });
            await db.SaveChangesAsync();
            if (transaction is not null) await transaction.CommitAsync();
            if (i % 3 == 2) await db.Notes.Where(note => note.Text == i.ToString()).ExecuteUpdateAsync(note => note.SetProperty(n => n.Touched, true));
        }
    }

    [Fact]
    public async Task However_a_writer_ends_the_next_one_goes_on()
    {
        await using (var dropped = Open())
        {
            await using var transaction = await dropped.Database.BeginTransactionAsync();
            dropped.Add(new Note { Text = "dropped" });
            await dropped.SaveChangesAsync();
        }

        await ShouldBeFreeAsync();
        await using (var undone = Open())
        {
            var transaction = await undone.Database.BeginTransactionAsync();
            await transaction.RollbackAsync();
            await transaction.DisposeAsync();
            await ShouldBeFreeAsync();
        }

        await using (var failing = Open())
        {
            failing.AddRange(new Note { Id = 1, Text = "a" });
            await failing.SaveChangesAsync();
            await Should.ThrowAsync<SqliteException>(failing.Database.ExecuteSqlRawAsync("INSERT INTO \"Notes\" (\"Id\", \"Text\", \"Touched\") VALUES (1, 'b', 0)"));
            await ShouldBeFreeAsync();
            failing.ChangeTracker.Clear();
            failing.Add(new Note { Id = 1, Text = "b" });
            await Should.ThrowAsync<DbUpdateException>(failing.SaveChangesAsync());
            await ShouldBeFreeAsync();
        }

        await using var holder = Open();
        await using (await holder.Database.BeginTransactionAsync())
        {
            using var givingUp = new CancellationTokenSource();
            await using var waiting = Open();
            var wait = waiting.Database.BeginTransactionAsync(givingUp.Token);
            await givingUp.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(wait);
        }

        await ShouldBeFreeAsync();
    }

    /// <summary>The other process writes in a way of its own, which SQLite itself keeps apart from ours.</summary>
    [Fact]
    public async Task A_writer_of_another_process_is_waited_for()
    {
        await using var other = new SqliteConnection($"Data Source={Path.Combine(_folder.Path, "notes.db")}");
        await other.OpenAsync();
        var held = other.BeginTransaction();
        var writer = Task.Run(async () =>
        {
            await using var db = Open();
            db.Add(new Note { Text = "ours" });
            await db.SaveChangesAsync();
        });
        await using (var insert = new SqliteCommand("INSERT INTO \"Notes\" (\"Text\", \"Touched\") VALUES ('theirs', 0)", other, held)) await insert.ExecuteNonQueryAsync();
        held.Commit();

        await writer.WaitAsync(Deadline.Default);
        await using var reader = Open();
        (await reader.Notes.CountAsync()).ShouldBe(2);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose()
    {
        _services.Dispose();
        SqliteConnection.ClearAllPools();
        _folder.Dispose();
    }

    private async Task ShouldBeFreeAsync()
    {
        await using var db = Open();
        var turn = db.Database.BeginTransactionAsync();
        turn.IsCompleted.ShouldBeTrue();
        await (await turn).DisposeAsync();
    }

    private NotesDb Open() => _services.GetRequiredService<IDbContextFactory<NotesDb>>().CreateDbContext();
}

public sealed class Note
{
    public int Id { get; set; }
    public required string Text { get; set; }
    public bool Touched { get; set; }
}

public abstract class NotesDb(DbContextOptions options) : DbContext(options)
{
    public DbSet<Note> Notes => Set<Note>();
}

public sealed class SqliteNotesDb(DbContextOptions<SqliteNotesDb> options) : NotesDb(options);

public sealed class PostgresNotesDb(DbContextOptions<PostgresNotesDb> options) : NotesDb(options);
