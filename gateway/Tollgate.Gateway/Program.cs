Console.WriteLine("Tollgate gateway");
