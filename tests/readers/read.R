# Reads one pixel of a NetCDF file with stars, by GDAL and by RNetCDF.
suppressPackageStartupMessages(library(stars))
given <- commandArgs(TRUE)
place <- as.integer(given[3:5]) + 1
by_gdal <- suppressWarnings(read_stars(given[1], sub = given[2], quiet = TRUE))
by_netcdf <- suppressMessages(suppressWarnings(read_ncdf(given[1], var = given[2])))
value <- as.numeric(by_gdal[[1]][place[3], place[2], place[1]])
stopifnot(identical(dim(by_gdal)[1:2], dim(by_netcdf)[1:2]))
stopifnot(as.numeric(by_netcdf[[1]][place[3], place[2], place[1]]) == value)
cat(sprintf('{"version": "%s", "value": %.17g, "epsg": %d, "text": null}\n',
            packageVersion("stars"), value, st_crs(by_gdal)$epsg))
