int name = 50;
int data;
extern int other_name_of_data __attribute__((alias("data")));
