using Microsoft.EntityFrameworkCore;

namespace Tollgate.Storage;

/// <summary>One page of a longer list.</summary>
/// <param name="Number">From 1 on.</param>
/// <param name="Total">Entries of the whole list.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, int Number, int Size, int Total)
{
    /// <summary>How many pages there are, at least one.</summary>
    public int Pages => Math.Max(1, (Total + Size - 1) / Size);
}

/// <summary>Cuts pages out of ordered queries.</summary>
public static class Paging
{
    public const int DefaultSize = 25;

    /// <summary>The page of this number; the nearest one where the number is out of bounds.</summary>
    public static Task<Page<T>> ToPageAsync<T>(this IQueryable<T> ordered, int number, CancellationToken cancel, int size = DefaultSize) =>
        ordered.ToPageAsync(number, rows => rows.ToListAsync(cancel), cancel, size);

    /// <summary>The same, for rows that are read in a way of their own.</summary>
    public static async Task<Page<T>> ToPageAsync<TRow, T>(
        this IQueryable<TRow> ordered, int number, Func<IQueryable<TRow>, Task<List<T>>> read, CancellationToken cancel, int size = DefaultSize)
    {
        var total = await ordered.CountAsync(cancel);
        var page = Math.Clamp(number, 1, Math.Max(1, (total + size - 1) / size));
        return new Page<T>(await read(ordered.Skip((page - 1) * size).Take(size)), page, size, total);
    }
}
