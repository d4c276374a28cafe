// Fills, reads, compacts and repairs a LevelDB in a temporary folder; threads and exceptions.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "leveldb/cache.h"
#include "leveldb/db.h"
#include "leveldb/env.h"
#include "leveldb/filter_policy.h"
#include "leveldb/write_batch.h"

class DatabaseError : public std::runtime_error {
public:
    explicit DatabaseError(const leveldb::Status &status) : runtime_error(status.ToString()) {}
};

static void check(const leveldb::Status &status) {
    if (!status.ok())
        throw DatabaseError(status);
}

static std::string key(int i) {
    char text[16];
    snprintf(text, sizeof text, "key%06d", i * 7919 % 100003);
    return text;
}

static std::unique_ptr<leveldb::DB> open(const std::string &path, const leveldb::Options &options) {
    leveldb::DB *db = nullptr;
    check(leveldb::DB::Open(options, path, &db));
    return std::unique_ptr<leveldb::DB>(db);
}

static void fill(leveldb::DB &db, int threads, int each) {
    std::vector<std::thread> workers;
    for (int t = 0; t < threads; t++)
        workers.emplace_back([&db, t, each] {
            for (int i = 0; i < each; i += 10) {
                leveldb::WriteBatch batch;
                for (int j = i; j < i + 10; j++)
                    batch.Put(key(t * each + j), std::string(100, 'a' + j % 26));
                check(db.Write(leveldb::WriteOptions(), &batch));
            }
        });
    for (auto &worker : workers)
        worker.join();
}

static std::string digest(leveldb::DB &db, const leveldb::ReadOptions &options) {
    std::unique_ptr<leveldb::Iterator> it(db.NewIterator(options));
    uint64_t hash = 0xcbf29ce484222325u;
    std::map<char, int> initials;
    int count = 0;
    for (it->SeekToFirst(); it->Valid(); it->Next(), count++) {
        for (char c : it->key().ToString() + it->value().ToString())
            hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
        initials[it->value()[0]]++;
    }
    check(it->status());
    std::ostringstream text;
    text << count << " entries, " << std::hex << hash << std::dec << ", " << initials.size()
         << " initials";
    return text.str();
}

static void work(const std::string &path, int each) {
    std::unique_ptr<leveldb::Cache> cache(leveldb::NewLRUCache(1 << 20));
    std::unique_ptr<const leveldb::FilterPolicy> filter(leveldb::NewBloomFilterPolicy(10));
    leveldb::Options options;
    options.write_buffer_size = 256 << 10;
    options.block_cache = cache.get();
    options.filter_policy = filter.get();
    try {
        open(path, options);
    } catch (const DatabaseError &) {
        std::cout << "no database yet" << std::endl;
    }
    options.create_if_missing = true;
    auto db = open(path, options);
    fill(*db, 4, each);
    leveldb::ReadOptions snapshot;
    snapshot.snapshot = db->GetSnapshot();
    for (int i = 0; i < each; i += 3)
        check(db->Delete(leveldb::WriteOptions(), key(i)));
    std::cout << "snapshot: " << digest(*db, snapshot) << std::endl;
    db->ReleaseSnapshot(snapshot.snapshot);
    db->CompactRange(nullptr, nullptr);
    std::cout << "compacted: " << digest(*db, leveldb::ReadOptions()) << std::endl;
    db.reset();
    check(leveldb::RepairDB(path, options));
    db = open(path, options);
    std::cout << "repaired: " << digest(*db, leveldb::ReadOptions()) << std::endl;
    std::string value;
    try {
        check(db->Get(leveldb::ReadOptions(), "no such key", &value));
    } catch (const std::exception &error) {
        std::cout << "caught " << error.what() << std::endl;
    }
}

int main(int argc, char **argv) {
    char path[] = "leveldb-XXXXXX";
    if (!mkdtemp(path))
        return 2;
    int status = 0;
    try {
        work(path, argc > 1 ? atoi(argv[1]) : 5000);
    } catch (const std::exception &error) {
        std::cerr << error.what() << std::endl;
        status = 1;
    }
    leveldb::DestroyDB(path, leveldb::Options());
    return status;
}
