// Overlays, buffers, triangulates and validates geometries with GEOS; catches its exceptions.
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <geos/geom/CoordinateSequence.h>
#include <geos/geom/Geometry.h>
#include <geos/geom/GeometryFactory.h>
#include <geos/geom/IntersectionMatrix.h>
#include <geos/geom/LinearRing.h>
#include <geos/geom/Polygon.h>
#include <geos/index/strtree/TemplateSTRtree.h>
#include <geos/io/ParseException.h>
#include <geos/io/WKBWriter.h>
#include <geos/io/WKTReader.h>
#include <geos/io/WKTWriter.h>
#include <geos/operation/valid/IsValidOp.h>
#include <geos/simplify/TopologyPreservingSimplifier.h>
#include <geos/triangulate/DelaunayTriangulationBuilder.h>
#include <geos/triangulate/quadedge/QuadEdgeSubdivision.h>
#include <geos/util/GEOSException.h>

using geos::geom::Geometry;
using Owned = std::unique_ptr<Geometry>;

static void show(const char *name, const Geometry &geometry) {
    printf("%s: %s, %zu points, area %.6f, length %.6f, %s\n", name,
           geometry.getGeometryType().c_str(), geometry.getNumPoints(), geometry.getArea(),
           geometry.getLength(), geometry.isValid() ? "valid" : "invalid");
}

static Owned star(const geos::geom::GeometryFactory &factory, int points, double x) {
    auto ring = std::make_unique<geos::geom::CoordinateSequence>();
    for (int i = 0; i <= 2 * points; i++) {
        double angle = M_PI * (i % (2 * points)) / points, radius = i % 2 ? 4 : 10;
        ring->add(geos::geom::Coordinate(x + radius * std::cos(angle), radius * std::sin(angle)));
    }
    return factory.createPolygon(factory.createLinearRing(std::move(ring)));
}

int main() {
    auto factory = geos::geom::GeometryFactory::create();
    Owned a = star(*factory, 12, 0), b = star(*factory, 7, 6);
    show("star", *a);
    show("intersection", *a->intersection(b.get()));
    show("union", *a->Union(b.get()));
    show("symmetric difference", *a->symDifference(b.get()));
    show("buffer", *a->buffer(1.5));
    show("inner buffer", *a->buffer(-1));
    show("hull", *b->convexHull());
    show("centroid", *b->getCentroid());
    show("simplified", *geos::simplify::TopologyPreservingSimplifier::simplify(a.get(), 3));

    geos::triangulate::DelaunayTriangulationBuilder builder;
    builder.setSites(*a);
    show("triangles", *builder.getTriangles(*factory));

    geos::index::strtree::TemplateSTRtree<int> tree;
    std::vector<Owned> cells;
    for (int i = 0; i < 400; i++) {
        cells.push_back(star(*factory, 5, i * 3));
        tree.insert(*cells.back()->getEnvelopeInternal(), i);
    }
    int hits = 0;
    tree.query(*a->getEnvelopeInternal(), [&hits](int) { hits++; });
    printf("tree: %d hits, relate %s\n", hits, a->relate(b.get())->toString().c_str());

    geos::io::WKTReader reader(*factory);
    for (const char *text : {"POLYGON((0 0,2 2,2 0,0 2,0 0))", "LINESTRING(0 0,1 1,2 0)",
                             "POLYGON((0 0,1 1))", "CIRCLE(1 2)", "POINT(1 x)"}) {
        try {
            auto geometry = reader.read(text);
            geos::operation::valid::IsValidOp valid(geometry.get());
            const auto *error = valid.getValidationError();
            printf("%s: %s\n", text, error ? error->toString().c_str() : "valid");
        } catch (const geos::io::ParseException &error) {
            printf("%s: parse: %s\n", text, error.what());
        } catch (const geos::util::GEOSException &error) {
            printf("%s: %s\n", text, error.what());
        }
    }
    geos::io::WKTWriter writer;
    writer.setRoundingPrecision(3);
    printf("%s\n", writer.write(b->convexHull().get()).c_str());
    return 0;
}
