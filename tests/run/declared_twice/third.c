int numbers[3] = {3, 4, 5};
